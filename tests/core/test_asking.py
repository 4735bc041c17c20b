from dataclasses import replace

import pytest

from faceswapd.core.asking import NOTHING_ASKED, Question, question
from faceswapd.core.intake import Face, Heard, Rules, pair
from faceswapd.core.sidecar import Mistake, Said
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING, Pass, Trim, Wish, told

VIDEO = Facts(Kind.VIDEO, "c0ffee", 1, 64, 48, 100, 4.0, 0, 1)
IMAGE = replace(VIDEO, kind=Kind.IMAGE, frames=1, duration=None)


def said(wish: Wish, *moments: float | None) -> Said:
    return Said("clip.mp4.toml", wish, moments or (None,) * len(wish.passes))


def test_the_sidecar_lies_over_the_nearer_folder_and_that_one_over_the_farther() -> None:
    sidecar = said(Wish(preset="best", options=(("a", "1"),)))
    nearer, farther = said(Wish(preset="fast", priority=5, options=(("b", "2"),))), said(Wish(priority=1, output="x"))
    asked = question(sidecar, [nearer, farther], VIDEO)
    assert isinstance(asked, Question)
    assert asked.folders == Wish(preset="fast", priority=5, output="x", options=(("b", "2"),))
    assert asked.wish(None) == Wish(preset="best", priority=5, output="x", options=(("b", "2"), ("a", "1")))
    assert question(None, [], VIDEO) == NOTHING_ASKED


def test_persons_count_only_where_who_named_them_is_heard() -> None:
    asked = Question(NOTHING, Wish(passes=(Pass("alice"), Pass("bob", 1)), preset="fast"))
    assert asked.named.folder == "alice + bob"
    assert asked.wish(Heard.FOLDER).passes == asked.folders.passes
    assert asked.wish(None) == Wish(preset="fast"), "its folder's name has won"
    own = Question(Wish(face="alice"), asked.folders)
    assert own.wish(Heard.SIDECAR) == Wish(face="alice", preset="fast")


RULES = Rules.of([Face("alice"), Face("bob")], ("best",), "bob")


@pytest.mark.parametrize(
    ("path", "own", "folder", "face", "heard"),
    [
        ("alice__clip.mp4", "bob", None, "bob", Heard.SIDECAR),
        ("alice__clip.mp4", None, "bob", "alice", None),
        ("alice/clip.mp4", None, "bob", "alice", None),
        ("new/clip.mp4", None, "alice + bob", "alice + bob", Heard.FOLDER),
        ("clip.mp4", None, "alice", "alice", Heard.FOLDER),
        ("clip.mp4", None, None, "bob", None),
    ],
)
def test_a_sidecar_ranks_before_names_and_defaults_behind_them(
    path: str, own: str | None, folder: str | None, face: str, heard: Heard | None
) -> None:
    named = Question(Wish(face=own), Wish(face=folder)).named
    found = pair(tuple(path.split("/")), RULES, [("new",)], named)
    assert (found.face, found.heard, found.bundle) == (face, heard, None)


@pytest.mark.parametrize(
    ("wish", "facts", "sentence"),
    [
        (Wish(trim=Trim(1.0)), IMAGE, "trim: an image has no length; take the line out."),
        (Wish(passes=(Pass("alice", 0, 3),)), IMAGE, "map: an image has one frame only"),
        (Wish(trim=Trim(4.0)), VIDEO, "trim.start = 0:04: the video is 0:04 long; begin before its end."),
        (Wish(trim=Trim(1.0, 9.0)), VIDEO, "trim.end = 0:09: the video is 0:04 long"),
        (Wish(passes=(Pass("alice", 0, 100),)), VIDEO, "map 1: frame = 100: the video has 100 frames and is 0:04 long"),
        (
            Wish(trim=Trim(2.0), passes=(Pass("alice"), Pass("bob", 1, 10))),
            VIDEO,
            "map 2: frame = 10: this frame is trimmed away; name one that is wanted.",
        ),
    ],
)
def test_what_does_not_fit_the_target_is_a_mistake(wish: Wish, facts: Facts, sentence: str) -> None:
    answer = question(said(wish), [], facts)
    assert isinstance(answer, Mistake)
    assert answer.sentence.startswith(f"clip.mp4.toml: {sentence}")


def test_a_moment_becomes_the_number_of_its_frame() -> None:
    asked = question(said(Wish(passes=(Pass("alice"), Pass("bob", 1))), 1.0, None), [], VIDEO)
    assert isinstance(asked, Question)
    assert asked.own.passes == (Pass("alice", 0, 25), Pass("bob", 1, 0))
    late = question(said(Wish(passes=(Pass("alice"),)), 4.0), [], VIDEO)
    assert isinstance(late, Mistake)
    assert "map 1: at = 0:04: the video has 100 frames" in late.sentence


def test_a_folders_defaults_are_asked_of_each_target_as_far_as_it_goes() -> None:
    defaults = said(Wish(trim=Trim(1.0, 30.0), passes=(Pass("alice", 0, 30),)))
    image = question(None, [defaults], IMAGE)
    assert isinstance(image, Question)
    assert image.folders == Wish(passes=(Pass("alice"),)), "an image has no length, and one frame"
    short = question(None, [defaults], VIDEO)
    assert isinstance(short, Question)
    assert short.folders.trim == Trim(1.0, None)
    answer = question(None, [said(Wish(trim=Trim(5.0)))], VIDEO)
    assert isinstance(answer, Mistake), "of this one nothing would be left"


def test_a_wish_is_told_in_words() -> None:
    wish = Wish("alice", "best", 5, None, Trim(10.0, 25.5), "{name}{suffix}", (("face_mask_blur", "0.4"),))
    assert told(wish) == (
        "face alice",
        "preset best",
        "priority 5",
        "from 0:10 to 0:25.5",
        "output {name}{suffix}",
        "face_mask_blur = 0.4",
    )
    assert told(Wish(passes=(Pass("bob", 1, 7),))) == ("person 2 from the left in frame 7: bob",)
