import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.eta import TRUST, Past, Speed, learn, left, whole

SPEED = Speed(overhead=5, per_frame=0.1)


def test_nothing_is_learnt_from_nothing() -> None:
    assert learn([]) is None
    assert learn([Past(frames=0, engine_seconds=3, seconds=4)]) is None


def test_the_speed_is_that_of_the_usual_execution() -> None:
    """One that the machine slept through counts no more than any other."""
    usual = [Past(100, 10, 15), Past(200, 20, 25)]
    assert learn([*usual, Past(100, 5000, 9000)]) == SPEED


def test_an_execution_is_never_shorter_than_its_frames() -> None:
    speed = learn([Past(100, 10, 9.5)])
    assert speed is not None
    assert speed.overhead == 0


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
