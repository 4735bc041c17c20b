from collections.abc import Mapping
from pathlib import Path

import pytest

from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Proof
from faceswapd.media.probe import probe
from faceswapd.media.verify import NO_FILE, verify
from tests.media.media_files import FRAMES, RECIPES, Recipe, make_image, make_video, remux, turn

Videos = Mapping[str, Path]


def ignore(pictures: int) -> None:
    pass


def facts_of(path: Path) -> Facts:
    answer = probe(str(path), ignore)
    assert isinstance(answer, Facts), answer
    return answer


def judge(target: Path, output: Path) -> Proof | Failure:
    return verify(str(target), str(output), facts_of(target))


def failure(target: Path, output: Path) -> tuple[str, str]:
    answer = judge(target, output)
    assert isinstance(answer, Failure), answer
    return answer.category, answer.sentence


@pytest.mark.parametrize("name", RECIPES)
def test_an_output_with_all_pictures_and_the_same_sound_is_proved(name: str, videos: Videos) -> None:
    facts = facts_of(videos[name])
    proof = verify(str(videos[name]), str(videos[name]), facts)
    assert proof == Proof(facts.content, facts.size, FRAMES, facts.duration)


@pytest.mark.parametrize(
    ("target", "output"),
    [
        ("plain.mp4", "copy.mkv"),
        ("two-sounds.mp4", "copy.mov"),
        ("matroska.mkv", "copy.mp4"),
        ("transport.mpeg", "copy.mp4"),
        ("quicktime.mov", "copy.mkv"),
        ("vp9.webm", "copy.mkv"),
    ],
)
def test_sound_is_the_same_in_another_container(target: str, output: str, videos: Videos, tmp_path: Path) -> None:
    assert isinstance(judge(videos[target], remux(videos[target], tmp_path / output)), Proof)


def test_lost_sound_is_found(videos: Videos, tmp_path: Path) -> None:
    target, two = videos["plain.mp4"], videos["two-sounds.mp4"]
    none = remux(target, tmp_path / "none.mp4", sound=False)
    assert failure(target, none) == ("audio_lost", "The output has 0 sound streams, and the target has 1.")
    assert failure(two, target) == ("audio_lost", "The output has 1 sound streams, and the target has 2.")
    other = remux(two, tmp_path / "other.mp4", first_sound=1)
    assert failure(target, other) == ("audio_lost", "The output's sound is not the target's sound.")
    shorter = remux(target, tmp_path / "shorter.mp4", drop=3)
    assert failure(target, shorter) == ("audio_lost", "The output's sound is not the target's sound.")


def test_lost_pictures_are_found(videos: Videos, tmp_path: Path) -> None:
    target = videos["silent.mp4"]
    short = make_video(tmp_path / "short.mp4", Recipe(audio=None, frames=FRAMES - 2))
    assert failure(target, short) == ("output_damaged", "The output has 48 pictures, and the target has 50.")
    one = make_video(tmp_path / "one.mp4", Recipe(audio=None, frames=FRAMES - 1))
    assert isinstance(judge(target, one), Proof)


def test_another_size_is_found(videos: Videos, tmp_path: Path) -> None:
    other = make_video(tmp_path / "other.mp4", Recipe(audio=None, width=176, height=120))
    assert failure(videos["silent.mp4"], other) == (
        "output_damaged",
        "The output is 176 x 120 pixels, and the target is 160 x 120.",
    )


def test_a_turn_must_be_in_the_pictures(videos: Videos, tmp_path: Path) -> None:
    target = tmp_path / "target.mp4"
    target.write_bytes(videos["silent.mp4"].read_bytes())
    turn(target, 90)
    assert failure(target, target) == (
        "output_damaged",
        "The output tells players to turn it by 90 degrees, so it would lie askew.",
    )
    upright = make_video(tmp_path / "upright.mp4", Recipe(audio=None, width=120, height=160))
    assert isinstance(judge(target, upright), Proof)


def test_a_black_end_is_found_unless_the_target_ends_so(videos: Videos, tmp_path: Path) -> None:
    dark = make_video(tmp_path / "dark.mp4", Recipe(audio=None, black_from=20))
    assert failure(videos["silent.mp4"], dark) == (
        "output_damaged",
        "The end of the output is black, and the target's is not.",
    )
    assert isinstance(judge(dark, dark), Proof)


def test_a_wrong_duration_is_found(videos: Videos, tmp_path: Path) -> None:
    slow = make_video(tmp_path / "slow.mp4", Recipe(audio=None, rate=12))
    category, sentence = failure(videos["silent.mp4"], slow)
    assert category == "output_damaged"
    assert sentence == "The output lasts 4.2 seconds, and the target 2.0."


def test_no_file_is_no_success(videos: Videos, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    for output in (tmp_path / "none.mp4", empty):
        assert judge(videos["plain.mp4"], output) == NO_FILE


@pytest.mark.parametrize("name", ["plain.mp4", "faststart.mp4", "matroska.mkv", "mpeg4.avi", "vp9.webm"])
def test_a_cut_off_output_is_found(name: str, videos: Videos, tmp_path: Path) -> None:
    data = videos[name].read_bytes()
    output = tmp_path / name
    for cut in (0.3, 0.6, 0.9):
        output.write_bytes(data[: int(len(data) * cut)])
        category, sentence = failure(videos[name], output)
        assert category == "output_damaged"
        assert sentence.startswith("The engine's output is not whole: The video is cut off: ")


def test_pictures_that_were_destroyed_are_found(videos: Videos, tmp_path: Path) -> None:
    data = bytearray(videos["faststart.mp4"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(reversed(data[middle : middle + 4000]))
    output = tmp_path / "damaged.mp4"
    output.write_bytes(data)
    assert failure(videos["faststart.mp4"], output)[0] in ("output_damaged", "audio_lost")


def test_something_else_is_no_output(videos: Videos, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_bytes(b"done\n")
    assert failure(videos["plain.mp4"], text) == (
        "output_damaged",
        "The engine's output is not whole: The file is not a video: it is text.",
    )


def test_the_target_must_be_there_to_compare_the_sound(videos: Videos, tmp_path: Path) -> None:
    answer = verify(str(tmp_path / "gone.mp4"), str(videos["plain.mp4"]), facts_of(videos["plain.mp4"]))
    assert isinstance(answer, Failure)
    assert answer.category == "target_missing"


def test_images(tmp_path: Path) -> None:
    target = make_image(tmp_path / "target.jpg", 80, 60, orientation=6)
    output = make_image(tmp_path / "output.jpg", 60, 80)
    facts = facts_of(output)
    assert judge(target, output) == Proof(facts.content, facts.size, 1, None)
    wrong = make_image(tmp_path / "wrong.jpg", 80, 60)
    assert failure(target, wrong) == (
        "output_damaged",
        "The output is 80 x 60 pixels, and the target is 60 x 80.",
    )
    output.write_bytes(output.read_bytes()[:-20])
    assert failure(target, output) == (
        "output_damaged",
        "The engine's output is not whole: The image is cut off: its end is missing.",
    )
    assert judge(target, tmp_path / "none.jpg") == NO_FILE
