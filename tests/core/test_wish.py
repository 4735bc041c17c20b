import pytest

from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING, Pass, Trim, Wish, frames_of, wanted

VIDEO = Facts(Kind.VIDEO, "a", 4000, 64, 48, 100, 4.0, 0, 1)
PHOTO = Facts(Kind.IMAGE, "b", 4000, 64, 48, 1, None, 0, 0)
TWO = (Pass("alice", 0), Pass("bob", 1))


def test_what_is_nearer_lies_over_what_is_farther() -> None:
    folder = Wish(preset="best", priority=5, options=(("a", "1"), ("b", "2")))
    sidecar = Wish(face="alice", preset="fast", options=(("b", "3"),), trim=Trim(1.0, 2.0))
    assert sidecar.over(folder) == Wish("alice", "fast", 5, None, Trim(1.0, 2.0), None, (("a", "1"), ("b", "3")))
    assert NOTHING.over(folder) == folder
    assert folder.over(NOTHING) == folder


def test_a_nearer_face_takes_the_place_of_several_persons() -> None:
    several = Wish(passes=(Pass("alice", 0), Pass("bob", 1)))
    assert several.persons == "alice + bob"
    assert Wish(face="carol").over(several).persons == "carol"
    assert several.over(Wish(face="carol")).persons == "alice + bob"
    assert NOTHING.persons is None


@pytest.mark.parametrize(
    ("wish", "frames", "seconds", "size", "swapped"),
    [
        (NOTHING, 100, 4.0, 4000, 100),
        (Wish(trim=Trim(1.0, 3.0)), 50, 2.0, 2000, 50),
        (Wish(trim=Trim(3.0)), 25, 1.0, 1000, 25),
        (Wish(trim=Trim(3.0, 60.0), passes=TWO), 25, 1.0, 1000, 50),
        (Wish(trim=Trim(1.0, 1.001)), 1, 0.001, 1, 1),
        (Wish(passes=TWO), 100, 4.0, 4000, 200),
    ],
)
def test_what_a_wanted_part_will_be_like(wish: Wish, frames: int, seconds: float, size: int, swapped: int) -> None:
    part = wanted(VIDEO, wish)
    assert (part.frames, part.size) == (frames, size)
    assert part.duration == pytest.approx(seconds)
    assert frames_of(VIDEO, wish) == swapped


def test_of_an_image_all_is_wanted() -> None:
    assert wanted(PHOTO, Wish(trim=Trim(1.0))) == PHOTO
    assert frames_of(PHOTO, Wish(passes=TWO)) == 2
    assert frames_of(None, NOTHING) == 0
