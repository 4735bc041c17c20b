"""One person of several gets a face, and nobody else does."""

from collections.abc import Mapping
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.children.serve import Refusal
from faceswapd.core.presets import PRESETS
from faceswapd.engines.preview.detect import Points
from faceswapd.engines.preview.image import swap_image
from faceswapd.engines.preview.person import SOON, Look, Meant, follow, places_of
from faceswapd.engines.preview.source import Sources
from faceswapd.engines.preview.swap import SourceFace
from faceswapd.engines.preview.video import swap_video
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video

FAST = PRESETS["fast"]
WIDTH, HEIGHT, FRAMES = 480, 270, 15


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn persons, one in each half of the picture."""
    path = tmp_path_factory.mktemp("film") / "two.mp4"
    write_scene_video(path, [11, 7], WIDTH, HEIGHT, FRAMES / 25, 25)
    return path


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, SourceFace]:
    folder, made = tmp_path_factory.mktemp("faces"), {}
    for name, seed in (("alice", 4), ("bob", 9)):
        write_portrait(folder / f"{name}.png", seed, 320)
        made[name] = Sources().face([folder / f"{name}.png"])
    return made


def pictures(path: Path) -> list[NDArray[np.int16]]:
    with av.open(path) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.int16) for frame in container.decode(video=0)]


def halves(one: NDArray[np.int16], other: NDArray[np.int16]) -> tuple[float, float]:
    """How much two pictures differ in their left and their right half, without the label below, and without the little
    that coding changes everywhere."""
    apart = np.maximum(np.abs(one - other)[: HEIGHT * 4 // 5] - 10, 0)
    return float(apart[:, : WIDTH // 2].mean()), float(apart[:, WIDTH // 2 :].mean())


@pytest.mark.parametrize("position", [0, 1])
def test_only_the_person_that_is_meant_is_swapped(
    position: int, film: Path, faces: Mapping[str, SourceFace], tmp_path: Path
) -> None:
    output, told = tmp_path / "output.mp4", list[int]()
    swapped = swap_video(film, output, faces["alice"], FAST, told.append, Meant(0, position, film))
    assert (swapped.frames, swapped.faces) == (FRAMES, FRAMES)
    assert told == sorted(told)
    assert told[-1] == FRAMES
    for before, after in zip(pictures(film), pictures(output), strict=True):
        changed = halves(before, after)
        assert changed[position] > 10 * changed[1 - position], changed


def test_each_person_gets_the_own_face_pass_by_pass(
    film: Path, faces: Mapping[str, SourceFace], tmp_path: Path
) -> None:
    first, both = tmp_path / "first.mp4", tmp_path / "both.mp4"
    swap_video(film, first, faces["bob"], FAST, lambda _: None, Meant(0, 1, film))
    swap_video(first, both, faces["alice"], FAST, lambda _: None, Meant(4, 0, film))
    alike = {}
    for name, face in faces.items():
        alike[name] = tmp_path / f"{name}.mp4"
        swap_video(film, alike[name], face, FAST, lambda _: None)  # everybody gets it
    for made, alice, bob in zip(pictures(both), pictures(alike["alice"]), pictures(alike["bob"]), strict=True):
        to_alice, to_bob = halves(made, alice), halves(made, bob)
        assert to_alice[0] < to_bob[0], "on the left it is alice"
        assert to_bob[1] < to_alice[1], "on the right it is bob"


def test_a_person_in_an_image(faces: Mapping[str, SourceFace], tmp_path: Path) -> None:
    target, output = tmp_path / "two.png", tmp_path / "output.png"
    write_scene_image(target, [3, 5], WIDTH, HEIGHT)
    meant = Meant(0, 1, target)
    assert swap_image(target, output, faces["alice"], FAST, WIDTH * HEIGHT, meant) == 1
    before, after = (np.asarray(cv2.imread(str(path)), np.int16) for path in (target, output))
    left, right = halves(before, after)
    assert left == 0
    assert right > 0.1


@pytest.mark.parametrize(
    ("frame", "position", "sentence"),
    [
        (0, 2, "Person 3 from the left in frame 0 is meant, and 2 faces are found in it."),
        (FRAMES, 0, f"Frame {FRAMES} is meant, and the video has {FRAMES} frames."),
    ],
)
def test_whoever_is_not_there_is_nobody_else(frame: int, position: int, sentence: str, film: Path) -> None:
    with pytest.raises(Refusal) as raised:
        follow(Meant(frame, position, film), FAST, lambda _: None)
    assert (raised.value.failure.category, raised.value.failure.sentence) == ("person_missing", sentence)


def test_in_an_image_too(faces: Mapping[str, SourceFace], tmp_path: Path) -> None:
    target, output = tmp_path / "one.png", tmp_path / "output.png"
    write_scene_image(target, [3], 320, 240)
    with pytest.raises(Refusal) as raised:
        swap_image(target, output, faces["alice"], FAST, 1, Meant(0, 1, target))
    assert raised.value.failure.sentence == "Person 2 from the left in frame 0 is meant, and 1 face is found in it."
    assert not output.exists()


def at(x: float) -> Points:
    """A face whose eyes are 20 pixels apart."""
    return np.array([[x - 10, 50], [x + 10, 50], [x, 75]], np.float32)


def told(looks: list[Look], frame: int = 0, x: float = 100) -> list[float | None]:
    """Where the person is that stands at x in a frame."""
    places = places_of(looks, Meant(frame, 0, Path("a.mp4")), at(x))
    return [None if points is None else float(points.mean(0)[0]) for points in places]


def test_a_person_is_followed_both_ways() -> None:
    looks = [Look({1: at(90 + n), 2: at(300 - n)}, 0) for n in range(5)]
    assert told(looks, 2, 92) == [90, 91, 92, 93, 94]


def test_a_face_that_was_out_of_sight_is_taken_up_again_at_its_place() -> None:
    gone = Look({2: at(300)}, 0)
    looks = [Look({1: at(100), 2: at(300)}, 0), gone, gone, Look({2: at(300), 3: at(104)}, 0)]
    assert told(looks) == [100, None, None, 104]
    assert told(looks, 3, 104) == [100, None, None, 104], "backwards, too"


def test_another_person_does_not_take_the_place() -> None:
    looks = [Look({1: at(100), 2: at(140)}, 0), Look({2: at(102)}, 0), Look({2: at(102)}, 0)]
    assert told(looks) == [100, None, None]


@pytest.mark.parametrize(
    ("between", "scene", "seen"),
    [(SOON - 1, 0, True), (SOON, 0, False), (1, 1, False)],
    ids=["soon", "too late", "after a cut"],
)
def test_when_nobody_can_tell_who_it_is_the_person_is_left(between: int, scene: int, seen: bool) -> None:  # noqa: FBT001
    looks = [Look({1: at(100)}, 0), *[Look({}, scene)] * between, Look({2: at(100)}, scene)]
    assert told(looks)[-1] == (100 if seen else None)


def test_a_face_that_is_followed_only_from_a_few_frames_on() -> None:
    looks = [Look({}, 0), Look({}, 0), Look({7: at(101)}, 0), Look({7: at(102)}, 0)]
    assert told(looks) == [None, None, 101, 102]
    with pytest.raises(Refusal) as raised:
        told([Look({1: at(300)}, 0)] * 3)
    assert raised.value.failure.category == "person_missing"
