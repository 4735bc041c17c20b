import errno
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from faceswapd.children.serve import Refusal
from faceswapd.core.preflight import Weakness
from faceswapd.core.target import Facts, Prepared
from faceswapd.media.drawn_scene import draw_scene, write_scene_video
from faceswapd.media.mending import not_written
from faceswapd.media.opened import Opened
from faceswapd.media.preparing import prepare
from faceswapd.media.probe import probe
from faceswapd.media.timeline import read_reel
from faceswapd.media.tone import HLG, PQ, standard
from tests.media.engine_files import make_bright, make_timed, moments, photo, printing_jpeg
from tests.media.media_files import FRAMES, RECIPES, Recipe, chunk, make_image, make_video

Videos = Mapping[str, Path]

ALL = frozenset(Weakness)
EVEN = "Its pictures were given an even rate, which is undone at the end."


def ignore(done: int, total: int) -> None:
    pass


def facts_of(path: Path) -> Facts:
    facts = probe(str(path), lambda _: None)
    assert isinstance(facts, Facts), facts
    return facts


def prepared(target: Path, folder: Path, weaknesses: frozenset[Weakness] = ALL) -> Prepared:
    return prepare(target, folder, facts_of(target), weaknesses, ignore)


def pictures_of(path: Path) -> list[str]:
    """A digest of each picture's pixels, as they are coded."""
    with av.open(str(path)) as container:
        return [hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest() for frame in container.decode(video=0)]


def assert_plain(path: Path, frames: int, rate: Fraction | int) -> None:
    """What FaceFusion expects of a video: one stream, and `duration * rate` pictures at even moments from 0 on."""
    with Opened(str(path)) as file:
        reel = read_reel(file, lambda: None)
    assert reel.streams == 1
    assert reel.planned == frames
    assert reel.timeline is not None
    assert reel.timeline.moments[0] == 0
    shown = moments(path)
    assert len(shown) == frames
    assert all(abs(moment - number / Fraction(rate)) <= reel.timeline.tick for number, moment in enumerate(shown))


@pytest.mark.parametrize("name", RECIPES)
def test_every_kind_of_video_becomes_plain(name: str, videos: Videos, tmp_path: Path) -> None:
    answer = prepared(videos[name], tmp_path)
    assert_plain(answer.path, FRAMES, 25)


@pytest.mark.parametrize("name", ["b-frames.mp4", "uneven.mp4", "hevc.mp4", "transport.mpeg", "vp9.webm", "live.mkv"])
def test_pictures_that_can_be_read_are_copied(name: str, videos: Videos, tmp_path: Path) -> None:
    answer = prepared(videos[name], tmp_path)
    assert answer.path == tmp_path / "prepared.mp4"
    assert pictures_of(answer.path) == pictures_of(videos[name])


def test_a_video_that_is_fine_stays_where_it_is(videos: Videos, tmp_path: Path) -> None:
    assert prepared(videos["silent.mp4"], tmp_path) == Prepared(videos["silent.mp4"])
    assert not list(tmp_path.iterdir())


def test_an_engine_without_weaknesses_gets_the_target(videos: Videos, tmp_path: Path) -> None:
    for name in ("uneven.mp4", "vp8.webm", "program.mpeg"):
        assert prepared(videos[name], tmp_path, frozenset()) == Prepared(videos[name])


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotation_is_baked_in(rotation: int, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    write_scene_video(target, [3], 120, 160, 1.0, rotation=rotation)
    answer = prepared(target, tmp_path)
    assert answer.mended == (f"Its rotation by {rotation} degrees was baked in.",)
    assert_plain(answer.path, 25, 25)
    with av.open(str(answer.path)) as container:
        frame = next(container.decode(video=0))
        assert frame.rotation == 0
        difference = np.abs(frame.to_ndarray(format="bgr24").astype(int) - draw_scene([3], 120, 160, 0.0))
    assert difference.mean() < 4


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_uneven_moments_are_made_even(suffix: str, tmp_path: Path) -> None:
    times = [0, 30, 50, 130, 200, 210, 300, 420, 421, 500, 800, 840, 880, 910, 1000, 1100, 1130, 1170, 1400, 1500]
    target = make_timed(tmp_path / f"target{suffix}", times, options={"bf": "3"})
    answer = prepared(target, tmp_path)
    assert answer.mended == (EVEN,)
    assert_plain(answer.path, len(times), 13)
    assert pictures_of(answer.path) == pictures_of(target)


def test_a_late_start_is_moved_to_nothing(tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    write_scene_video(target, [3], 160, 120, 1.0, start=0.7)
    assert_plain(prepared(target, tmp_path).path, 25, 25)


@pytest.mark.parametrize(("apart", "rate"), [(8, 60), (4000, 1)])
def test_rates_that_facefusion_cannot_write(apart: int, rate: int, tmp_path: Path) -> None:
    target = make_timed(tmp_path / "target.mp4", [number * apart for number in range(30)])
    answer = prepared(target, tmp_path)
    assert answer.mended == ("Its rate was brought to between 1 and 60 pictures a second, which is undone at the end.",)
    assert_plain(answer.path, 30, rate)


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_televisions_rates_are_kept_exactly(form: str, tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    recipe = Recipe(form=form, rate=rate, frames=200, options={"preset": "ultrafast"})  # type: ignore[arg-type]
    target = make_video(tmp_path / "target.mkv", recipe)
    assert_plain(prepared(target, tmp_path).path, 200, rate)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_too_much_brightness_is_brought_down(transfer: int, tmp_path: Path) -> None:
    target = make_bright(tmp_path / "target.mp4", transfer)
    answer = prepared(target, tmp_path)
    assert answer.mended == ("Its brightness (HDR) was brought down to a standard screen's.",)
    with av.open(str(answer.path)) as container:
        frame = next(container.decode(video=0))
    assert (frame.format.name, frame.color_trc, frame.color_primaries, frame.colorspace) == ("yuv420p", 1, 1, 1)
    with av.open(str(target)) as container:
        coded = next(container.decode(video=0)).to_ndarray(format="rgb48le") / 65535
    wanted = standard(coded, transfer) * 255
    assert np.abs(frame.to_ndarray(format="rgb24") - wanted).mean() < 8
    assert prepared(target, tmp_path, ALL - {Weakness.HDR}) == Prepared(target)


def test_the_table_of_brightness() -> None:
    for transfer, white in ((PQ, 0.5807), (HLG, 0.75)):  # paper white's code, by ITU-R BT.2408
        gray = standard(np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1), transfer)
        assert np.allclose(gray, gray[:, :1], atol=1e-3)  # gray stays gray
        assert (np.diff(gray[:, 0]) >= -1e-9).all()  # processors round a product of matrices each in their own way
        assert gray[0, 0] == 0
        assert 0.9 < standard(np.full((1, 3), white), transfer)[0, 0] < 0.97
        assert gray[-1, 0] == pytest.approx(1)


def test_pictures_that_cannot_all_be_decoded(videos: Videos, tmp_path: Path) -> None:
    target = videos["mpeg4.avi"]
    facts = replace(facts_of(target), frames=FRAMES + 3)
    with pytest.raises(Refusal) as raised:
        prepare(target, tmp_path, facts, ALL, ignore)
    assert raised.value.failure.sentence == "Only 50 of the video's 53 pictures can be decoded."


def test_a_target_that_is_gone(videos: Videos, tmp_path: Path) -> None:
    for name in ("gone.mp4", "gone.jpg"):
        facts = facts_of(videos["silent.mp4"] if name == "gone.mp4" else make_image(tmp_path / "a.jpg"))
        with pytest.raises(Refusal) as raised:
            prepare(tmp_path / name, tmp_path, facts, ALL, ignore)
        assert raised.value.failure.category == "target_missing"


def test_what_cannot_be_written() -> None:
    for number, category in (
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "not_writable"),
        (errno.EFBIG, "output_damaged"),
        (errno.EIO, "output_damaged"),
    ):
        assert not_written(OSError(number, "No.")).failure.category == category
    with pytest.raises(MemoryError):
        not_written(OSError(errno.ENOMEM, "No."))


# Images


@pytest.mark.parametrize("orientation", range(2, 9))
def test_an_images_orientation_is_baked_in(orientation: int, tmp_path: Path) -> None:
    target = photo(tmp_path / "target.jpg", orientation)
    answer = prepared(target, tmp_path)
    assert answer == Prepared(tmp_path / "prepared.png", ("Its rotation or mirroring was baked in.",))
    upright = cv2.imread(str(target), cv2.IMREAD_COLOR)
    assert upright is not None
    staged = cv2.imread(str(answer.path), cv2.IMREAD_UNCHANGED)
    assert staged is not None
    assert np.array_equal(staged, upright)


def test_images_that_are_fine(tmp_path: Path) -> None:
    for suffix in (".jpg", ".jpeg", ".png", ".webp", ".bmp"):
        target = make_image(tmp_path / f"target{suffix}")
        assert prepared(target, tmp_path) == Prepared(target)
    assert not (tmp_path / "prepared.png").exists()


def test_images_that_readers_stumble_over(tmp_path: Path) -> None:
    scene = draw_scene([3], 160, 120)
    deep, clear, moving, tiff = (tmp_path / name for name in ("deep.png", "clear.png", "moving.png", "page.tiff"))
    cv2.imwrite(str(deep), scene.astype(np.uint16) * 257)
    cv2.imwrite(str(clear), np.dstack([scene, np.full((120, 160), 90, np.uint8)]))
    cv2.imwrite(str(tiff), scene)
    plain = make_image(tmp_path / "plain.png").read_bytes()
    moving.write_bytes(plain[:33] + chunk(b"acTL", bytes([0, 0, 0, 1, 0, 0, 0, 0])) + plain[33:])
    misnamed = tmp_path / "named.jpg"
    misnamed.write_bytes(plain)
    for target, sentence in (
        (printing_jpeg(tmp_path / "cmyk.jpg"), "Its printing colours (CMYK) were changed to a screen's."),
        (deep, "Its colours were reduced to 8 bits."),
        (clear, "Its transparency is kept aside until the end."),
        (moving, "It is animated; its first picture was taken."),
        (tiff, "It was copied into a PNG image."),
        (misnamed, "It was copied into a PNG image."),
    ):
        answer = prepared(target, tmp_path)
        assert answer == Prepared(tmp_path / "prepared.png", (sentence,)), target
        pixels = cv2.imread(str(answer.path), cv2.IMREAD_UNCHANGED)
        assert pixels is not None
        assert pixels.dtype == np.uint8
        assert pixels.shape[2] == 3
