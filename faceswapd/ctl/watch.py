"""`faceswapctl watch`: the status as it changes."""

import signal
import sys
import time
from collections.abc import Sequence
from typing import Final

from faceswapd.control.wire.job_messages import Event, JobDetail
from faceswapd.control.wire.messages import Job, Status
from faceswapd.control.wire.stream_messages import Progress
from faceswapd.ctl.client import UNREACHABLE, Client, Problem
from faceswapd.ctl.job_screens import file_name, how_it_ended
from faceswapd.ctl.output import complain_of, print_json
from faceswapd.ctl.plain import clean, clock, count
from faceswapd.ctl.status_screen import status_screen
from faceswapd.ctl.stream import Stream
from faceswapd.ctl.terminal import Line, Look, Terminal

BETWEEN_SECONDS: Final = 1.0  # between two documents, and two tries to reach the daemon
TOGETHER_SECONDS: Final = 0.2  # what happens in so short a time is shown at once
LONGEST_SECONDS: Final = 2.0  # of some things nothing is told, such as of files that arrive
ENTER: Final = "\x1b[?1049h\x1b[?25l"  # the alternate screen, without a cursor
LEAVE: Final = "\x1b[?25h\x1b[?1049l"
AWAY: Final = "The daemon is away. Waiting for it; Ctrl-C ends this."


def watch(client: Client, terminal: Terminal, *, as_json: bool) -> int:
    """Show the status whenever it changes, as JSON every second, until Ctrl-C. A daemon that is not running at first is
    a problem, one that goes away later is waited for."""
    first = client.get(Status, "/api/status")
    if isinstance(first, Problem):
        return complain_of(first)
    try:
        if as_json:
            _documents(client, first)
        with Stream(client) as stream:
            if terminal.redraws:
                return _redrawn(client, stream, first)
            _changes(client, stream, first, terminal)
    except KeyboardInterrupt:
        return 0
    return 0


def _documents(client: Client, status: Status | Problem) -> None:
    while True:
        if not isinstance(status, Problem):
            print_json(status)
        time.sleep(BETWEEN_SECONDS)
        status = client.get(Status, "/api/status")


def _redrawn(client: Client, stream: Stream, status: Status | Problem) -> int:
    from faceswapd.ctl.terminal import standard_output

    # Whoever ends this gets the screen back as it was.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    seen: list[Line] = []
    sys.stdout.write(ENTER)
    try:
        while True:
            terminal = standard_output()  # the window may have changed its size
            if isinstance(status, Problem):
                if status.code != UNREACHABLE:
                    break
                lines = [Line(AWAY, Look.HELD), *(Line(line.text, Look.ASIDE) for line in seen)]
            else:
                lines = seen = status_screen(status, terminal)
            text = "".join(f"{terminal.paint(line)}\x1b[K\n" for line in lines[: max(terminal.rows - 1, 1)])
            sys.stdout.write(f"\x1b[H{text}\x1b[J")
            sys.stdout.flush()
            _until_it_changes(stream)
            status = client.get(Status, "/api/status")
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()
    return complain_of(status)


def _changes(client: Client, stream: Stream, status: Status | Problem, terminal: Terminal) -> None:
    before: Status | None = None
    away = False
    while True:
        if isinstance(status, Problem):
            lines = [] if away else [AWAY if status.code == UNREACHABLE else status.sentence]
            at, away = time.time(), True
        else:
            lines = ["The daemon is back."] if away else []
            lines += _told(before, status, client)
            at, before, away = status.now, status, False
        terminal.show(Line(f"{clock(at)}  {line}") for line in lines)
        if sys.stdout is not None:
            sys.stdout.flush()
        _until_it_changes(stream)
        status = client.get(Status, "/api/status")


def _until_it_changes(stream: Stream) -> None:
    """Until the daemon tells that something has, or some time is over."""
    hello = None if stream.connected else stream.connect()
    said = hello if isinstance(hello, Problem) else stream.next(LONGEST_SECONDS)
    if isinstance(said, Problem):
        time.sleep(BETWEEN_SECONDS)
    elif said is not None:
        # One that has just begun has not looked around yet, and would tell of each inbox that it has not.
        time.sleep(TOGETHER_SECONDS if hello is None else BETWEEN_SECONDS)
        while isinstance(stream.next(0), Event | Progress):
            pass


def _told(before: Status | None, now: Status, client: Client) -> list[str]:
    """What is different, one sentence each."""
    lines: list[str] = []
    if before is None or (before.state, before.why) != (now.state, now.why):
        why = f": {clean(now.why)}" if now.why else ""
        lines.append(f"faceswapd {now.version} is {now.state}{why}")
    if before is None:
        lines.append(", ".join(f"{number:,} {state}" for state, number in now.counts.items()) or "No jobs yet.")
        lines += [f"Job {job.id} ({file_name(job)}): running." for job in now.running]
        return lines
    ran = {job.id: job for job in before.running}
    runs = {job.id: job for job in now.running}
    # A job that runs no more stands in no list when it succeeded, so it is asked for.
    for job in ran:
        if job not in runs:
            detail = client.get(JobDetail, f"/api/jobs/{job}")
            if not isinstance(detail, Problem):
                lines.append(how_it_ended(detail.job).text)
    lines += [f"Job {job.id} ({file_name(job)}): running." for job in now.running if job.id not in ran]
    known = {*ran, *_ids(before.failed), *_ids(before.parked)}
    lines += [how_it_ended(job).text for job in [*now.failed, *now.parked] if job.id not in known]
    arrived = sum(now.counts.values()) - sum(before.counts.values())
    if arrived > 0:
        lines.append(f"{count(arrived, 'new job')}.")
    faults = {inbox.name: inbox.problem for inbox in before.inboxes}
    for inbox in now.inboxes:
        if inbox.problem != faults.get(inbox.name):
            lines.append(f"Inbox {clean(inbox.name)}: {clean(inbox.problem or 'all is well again.')}")
    return lines


def _ids(jobs: Sequence[Job]) -> set[int]:
    return {job.id for job in jobs}
