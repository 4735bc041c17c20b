"""`faceswapctl report`: what was done."""

from collections.abc import Sequence

from faceswapd.control.wire.report_messages import DayLine, FailureLine, Report, SlotUse, SpeedLine
from faceswapd.ctl.client import Client, Problem
from faceswapd.ctl.output import complain_of, print_json
from faceswapd.ctl.plain import count, cut, duration
from faceswapd.ctl.table import table
from faceswapd.ctl.terminal import Line, Look, Terminal

MOST_DAYS = 31  # that are shown one by one


def report(client: Client, days: int | None, terminal: Terminal, *, as_json: bool) -> int:
    """The report of the last days."""
    answer = client.get(Report, "/api/report" + ("" if days is None else f"?days={days}"))
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
    else:
        terminal.show(report_screen(answer, terminal))
    return 0


def report_screen(told: Report, terminal: Terminal) -> list[Line]:
    """What was done in a few sentences, then in tables."""
    when = "Today" if told.days == 1 else f"The last {told.days} days"
    lines = [
        Line(f"{when}: {_jobs(told)}.", Look.TITLE),
        Line(f"{told.frames:,} frames, {duration(told.video)} of video; the engine worked for {duration(told.busy)}."),
    ]
    if told.wait is not None:
        lines.append(Line(f"Half of the jobs waited less than {duration(told.wait)} in the queue."))
    lines += _section(table(_SPEED, [(_speed(one), Look.PLAIN) for one in told.speeds], terminal, _RIGHT_OF_SPEED))
    days = told.by_day[-MOST_DAYS:] if told.days > 1 else []
    lines += _section(table(_DAY, [(_day(one), Look.PLAIN) for one in days], terminal, _RIGHT_OF_DAY))
    lines += _section(table(_SLOT, [(_slot(one), Look.PLAIN) for one in told.slots], terminal, _RIGHT_OF_SLOT))
    return lines + _failures(told.failures, terminal)


_SPEED = ("ENGINE", "PRESET", "DEVICE", "KIND", "JOBS", "FRAMES", "FRAMES/S")
_RIGHT_OF_SPEED = frozenset({4, 5, 6})
_DAY = ("DAY", "SUCCEEDED", "FAILED", "CANCELLED", "FRAMES", "VIDEO", "WORKED")
_RIGHT_OF_DAY = frozenset(range(1, 7))
_SLOT = ("SLOT", "DEVICE", "WORKED", "OF THE TIME")
_RIGHT_OF_SLOT = frozenset({0, 2, 3})


def _section(rows: list[Line]) -> list[Line]:
    """A table after an empty line; none where it has no rows."""
    return [Line(""), *rows] if len(rows) > 1 else []


def _jobs(told: Report) -> str:
    words = [f"{count(told.succeeded, 'job')} succeeded"]
    words += [
        f"{number:,} {word}" for number, word in ((told.failed, "failed"), (told.cancelled, "cancelled")) if number
    ]
    if told.retried:
        words.append(f"{count(told.retried, 'attempt')} tried again by itself")
    return ", ".join(words)


def _speed(one: SpeedLine) -> tuple[str, ...]:
    rate = "-" if one.frames_per_second is None else f"{one.frames_per_second:.1f}"
    return one.engine, one.preset, one.device, one.kind, f"{one.executions:,}", f"{one.frames:,}", rate


def _day(one: DayLine) -> tuple[str, ...]:
    counts = (f"{number:,}" for number in (one.succeeded, one.failed, one.cancelled, one.frames))
    return one.day, *counts, duration(one.video), duration(one.busy)


def _slot(one: SlotUse) -> tuple[str, ...]:
    return str(one.slot), one.device, duration(one.busy), f"{one.share * 100:.0f} %"


def _failures(failures: Sequence[FailureLine], terminal: Terminal) -> list[Line]:
    lines = [Line("")] if failures else []
    for one in failures:
        text = f"{count(one.jobs, 'job')} failed, {one.category}: {one.sentence}"
        lines.append(Line(text if terminal.piped else cut(text, terminal.width), Look.BAD))
        lines.append(Line(f"  {one.advice}" if terminal.piped else cut(f"  {one.advice}", terminal.width), Look.DO))
    return lines
