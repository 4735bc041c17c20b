import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.eta import TRUST, Past, Pile, Sort, Speed, learn, left, queue, whole
from faceswapd.core.target import Kind

SPEED = Speed(overhead=5, per_frame=0.1)
VIDEO, IMAGE = Sort(Kind.VIDEO, "balanced"), Sort(Kind.IMAGE, "balanced")


def past(frames: int, engine_seconds: float, seconds: float, sort: Sort = VIDEO) -> Past:
    return Past(sort, frames, engine_seconds, seconds)


def test_nothing_is_learnt_from_nothing() -> None:
    assert learn([]) == {}
    assert learn([past(0, 3, 4)]) == {}


def test_the_speed_is_that_of_the_usual_execution() -> None:
    """One that the machine slept through counts no more than any other."""
    assert learn([past(100, 10, 15), past(200, 20, 25), past(100, 5000, 9000)]) == {VIDEO: SPEED}


def test_an_image_says_nothing_of_a_video() -> None:
    assert learn([past(1, 2, 3, IMAGE), past(100, 10, 15)]) == {IMAGE: Speed(1, 2), VIDEO: SPEED}


def test_an_execution_is_never_shorter_than_its_frames() -> None:
    assert learn([past(100, 10, 9.5)])[VIDEO].overhead == 0


def test_a_job_that_has_not_started() -> None:
    assert whole(100, SPEED) == 15
    assert whole(100, None) is None


@pytest.mark.parametrize(
    ("progress", "elapsed", "speed", "expected"),
    [
        (0.0, 0.0, None, None),
        (0.0, 4.0, None, None),
        (0.0, 0.0, SPEED, 15),
        (0.0, 4.0, SPEED, 11),
        (0.0, 99.0, SPEED, 0),
        (0.5, 10.0, None, 10),
        (0.5, 10.0, SPEED, 10),  # its own speed, whatever the past says
        (TRUST, 3.0, SPEED, 17),
        (TRUST / 2, 3.0, SPEED, (37 + 12) / 2),  # half its own, half the past's
        (1.0, 30.0, SPEED, 0),
    ],
)
def test_what_is_left(progress: float, elapsed: float, speed: Speed | None, expected: float | None) -> None:
    assert left(progress, elapsed, 100, speed) == (None if expected is None else pytest.approx(expected))


@settings(max_examples=40)
@given(st.floats(0, 1), st.floats(0, 1e6), st.integers(0, 100_000))
def test_what_is_left_is_never_negative(progress: float, elapsed: float, frames: int) -> None:
    seconds = left(progress, elapsed, frames, SPEED)
    assert seconds is not None
    assert seconds >= 0


TWO_SPEEDS = {VIDEO: SPEED, IMAGE: Speed(1, 2)}


@pytest.mark.parametrize(
    ("piles", "running", "slots", "expected"),
    [
        ([], [], 1, None),
        ([Pile(VIDEO, 2, 300)], [], 1, 2 * 5 + 30),
        ([Pile(VIDEO, 2, 300), Pile(IMAGE, 10, 10)], [], 1, 40 + 10 + 20),
        ([Pile(VIDEO, 2, 300)], [7.0], 1, 47),  # what runs comes first
        ([Pile(VIDEO, 2, 300)], [7.0, 13.0], 2, 30),
        ([Pile(IMAGE, 1, 1)], [600.0, 1.0], 2, 600),  # nothing is done before the longest is
        ([], [12.0], 1, 12),
        ([Pile(VIDEO, 2, 300)], [None], 1, None),  # what runs is of a sort that was never seen, and has just started
        ([Pile(VIDEO, 2, 300), Pile(Sort(Kind.VIDEO, "best"), 1, 10)], [], 1, None),
    ],
)
def test_how_long_the_queue_is(
    piles: list[Pile], running: list[float | None], slots: int, expected: float | None
) -> None:
    assert queue(piles, running, TWO_SPEEDS, slots) == (None if expected is None else pytest.approx(expected))
