"""`faceswapctl logs`: what the engine of a job says, and with -f as it says it, until the job has ended."""

import sys
import time
from typing import Final

from faceswapd.control.wire.log_messages import JobLog
from faceswapd.ctl.client import UNREACHABLE, Client, Problem
from faceswapd.ctl.events import AWAY, BACK
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean
from faceswapd.ctl.terminal import Line, Look, Terminal

BETWEEN_SECONDS: Final = 0.5  # between two looks
OVER: Final = ("succeeded", "failed", "cancelled", "parked")  # nothing more comes by itself


def logs(client: Client, job: int, terminal: Terminal, *, follow: bool, as_json: bool) -> int:
    """Tell what the last execution said; with `follow` go on until the job has ended, or Ctrl-C."""
    answer = client.get(JobLog, f"/api/jobs/{job}/log")
    if isinstance(answer, Problem):
        return complain_of(answer)
    try:
        _tell(None, answer, terminal, as_json=as_json)
        while follow and (answer.running or answer.state not in OVER):
            before = answer
            time.sleep(BETWEEN_SECONDS)
            more = _next(client, job, before)
            if isinstance(more, Problem):
                return complain_of(more)
            answer = more
            _tell(before, answer, terminal, as_json=as_json)
    except KeyboardInterrupt:
        return 0
    if follow:
        complain(f"Job {job} is {clean(answer.state)}.")
    elif not answer.text:
        complain(f"Nothing that job {job} said is known: it is {clean(answer.state)}. See `faceswapctl show {job}`.")
    return 0


def _next(client: Client, job: int, before: JobLog) -> JobLog | Problem:
    """What followed. A daemon that is away is waited for."""
    asked = "" if before.execution is None else f"?after={before.next}&execution={before.execution}"
    away = False
    while True:
        answer = client.get(JobLog, f"/api/jobs/{job}/log{asked}")
        if not isinstance(answer, Problem) or answer.code != UNREACHABLE:
            if away:
                complain(BACK)
            return answer
        if not away:
            complain(AWAY)
        away = True
        time.sleep(BETWEEN_SECONDS)


def _tell(before: JobLog | None, answer: JobLog, terminal: Terminal, *, as_json: bool) -> None:
    if as_json:
        if before is None or answer.text:
            print_json(answer)
        return
    same = before is not None and before.execution == answer.execution
    lines: list[Line] = []
    if before is not None and not same and answer.text:
        lines.append(Line(f"== attempt {answer.attempt}", Look.TITLE))
    if answer.start > (before.next if before is not None and same else 0):
        lines.append(Line("... (what was said before is no longer kept)", Look.ASIDE))
    lines += [Line(line, Look.ASIDE if line.startswith("-- ") else Look.PLAIN) for line in answer.text.splitlines()]
    terminal.show(lines)
    if sys.stdout is not None:
        sys.stdout.flush()
