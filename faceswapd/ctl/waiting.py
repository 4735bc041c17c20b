"""`faceswapctl wait`: until jobs have ended, over a restart of the daemon, and never for ever without a word."""

import time
from typing import Final, NamedTuple

from faceswapd.control.job_messages import JobDetail
from faceswapd.ctl.client import ANSWER_SECONDS, REFUSED, UNREACHABLE, Client, Problem
from faceswapd.ctl.job_screens import how_it_ended
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.terminal import Terminal

POLL_SECONDS: Final = 25.0  # how long the daemon holds one question
AWAY_SECONDS: Final = 30.0  # how long the daemon may be away: it restarts in a few seconds
TOLD_SECONDS: Final = 2.0  # after which whoever waits is told that it is away
BETWEEN_SECONDS: Final = 0.5  # between two tries to reach it
TIMED_OUT: Final = 4  # exit code
ENDED: Final = ("succeeded", "failed", "cancelled")


class _Late(NamedTuple):
    """The time is over and the job has not ended."""

    state: str


def wait(client: Client, ids: list[int], timeout: float | None, terminal: Terminal, *, as_json: bool) -> int:
    """Wait for each job and print a line for it. `timeout` is in seconds, for all of them together.

    A parked job counts as ended: it waits for a person, so it would wait for ever.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    worst = 0
    for job in dict.fromkeys(ids):
        found = _until_ended(client, job, deadline)
        if isinstance(found, Problem):
            complain_of(found)
            if found.code == UNREACHABLE:
                return found.code
            worst = max(worst, found.code)
        elif isinstance(found, _Late):
            complain(f"Job {job} has not ended in time: it is {found.state}.")
            worst = TIMED_OUT
        else:
            if as_json:
                print_json(found)
            else:
                terminal.show([how_it_ended(found.job)])
            worst = max(worst, 0 if found.job.state == "succeeded" else REFUSED)
    return worst


def _until_ended(client: Client, job: int, deadline: float | None) -> JobDetail | Problem | _Late:
    answer = _asked(client, job, 0.0, deadline)
    while not isinstance(answer, Problem):
        state = answer.job.state
        if state in ENDED or state == "parked":
            return answer
        left = _left(deadline)
        if left <= 0:
            return _Late(state)
        asked_at = time.monotonic()
        answer = _asked(client, job, min(POLL_SECONDS, left), deadline)
        if isinstance(answer, JobDetail) and answer.job.state not in ENDED:
            # A daemon that stops answers before the time is over: do not ask it in a tight loop.
            took = time.monotonic() - asked_at
            time.sleep(max(0.0, min(BETWEEN_SECONDS - took, _left(deadline))))
    return answer


def _asked(client: Client, job: int, seconds: float, deadline: float | None) -> JobDetail | Problem:
    """The job as it is in at most `seconds`. A daemon that is away is given time to come back."""
    route = f"/api/jobs/{job}/wait?seconds={seconds:.3f}" if seconds else f"/api/jobs/{job}"
    away_since: float | None = None
    told = False
    while True:
        answer = client.get(JobDetail, route, seconds + ANSWER_SECONDS)
        if not isinstance(answer, Problem) or answer.code != UNREACHABLE:
            return answer
        if away_since is None:
            away_since = time.monotonic()
        away = time.monotonic() - away_since
        if away >= AWAY_SECONDS or _left(deadline) <= 0:
            return answer
        if away >= TOLD_SECONDS and not told:
            complain(f"The daemon is away. It is given {AWAY_SECONDS - away:.0f} s more to come back.")
            told = True
        time.sleep(min(BETWEEN_SECONDS, max(_left(deadline), 0.0)))


def _left(deadline: float | None) -> float:
    return float("inf") if deadline is None else deadline - time.monotonic()
