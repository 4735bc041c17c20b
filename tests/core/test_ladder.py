import itertools
from dataclasses import replace

import pytest

from faceswapd.core.ladder import RUNGS, Rung, bucket, next_rung, rung


def test_each_rung_is_numbered_by_its_place_and_asks_for_no_more_than_the_one_below() -> None:
    assert [one.number for one in RUNGS] == list(range(len(RUNGS)))
    for lower, higher in itertools.pairwise(RUNGS):
        assert higher.strict >= lower.strict
        assert higher.smaller_boost >= lower.smaller_boost
        assert higher.disk >= lower.disk
        assert (higher.thread_divisor or 99) >= (lower.thread_divisor or 99)


def test_the_first_rung_changes_nothing() -> None:
    first = rung(0)
    assert replace(first, number=1, about="") == Rung(1, "")


def test_the_ladder_ends() -> None:
    climbed = [0]
    while (higher := next_rung(climbed[-1])) is not None:
        climbed.append(higher)
    assert climbed == [one.number for one in RUNGS]
    assert rung(99) == RUNGS[-1]


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [(640, 480, "480p"), (1280, 720, "720p"), (720, 1280, "720p"), (1920, 1080, "1080p"), (3840, 2160, "4K"),
     (7680, 4320, "8K"), (1, 1, "480p")],
)  # fmt: skip
def test_a_resolution_has_its_class(width: int, height: int, expected: str) -> None:
    assert bucket(width, height) == expected
