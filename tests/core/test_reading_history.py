"""A day of readings in a ring that never grows."""

import sys

from faceswapd.core.reading_history import MINUTE, MOST, Point, ReadingHistory

AT = 1_763_816_400.0


def test_a_point_comes_back_as_it_was_with_what_was_not_known() -> None:
    history = ReadingHistory()
    first, second = Point(AT, cpu_percent=12.5, queued=3), Point(AT + MINUTE, temperature=-3.0)
    history.note(first)
    history.note(second)
    assert list(history.since(0.0)) == [first, second]
    assert list(history.since(AT + 1)) == [second]


def test_one_a_minute_is_kept_also_when_the_clock_is_set_back() -> None:
    history = ReadingHistory()
    for at in (AT, AT + 30, AT + 59.9, AT + 61, AT - 3600, AT - 3590):
        assert history.due(at) is (at in (AT, AT + 61, AT - 3600))
        history.note(Point(at))
    assert [point.at for point in history.since(0.0)] == [AT, AT + 61, AT - 3600]


def test_after_a_day_the_oldest_goes_and_nothing_grows() -> None:
    history = ReadingHistory()
    for minute in range(MOST + 10):
        history.note(Point(AT + minute * MINUTE, queued=minute))
    points = list(history.since(0.0))
    assert len(points) == MOST
    assert [points[0].queued, points[-1].queued] == [10, MOST + 9]
    assert sys.getsizeof(history._numbers) < 1_000_000
