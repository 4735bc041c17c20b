"""`faceswapctl wait`: until jobs have ended, over a restart of the daemon, and never for ever without a word."""

import time
from typing import Final, NamedTuple

from faceswapd.control.wire.job_messages import Event, JobDetail
from faceswapd.ctl.client import REFUSED, UNREACHABLE, Client, Problem
from faceswapd.ctl.job_screens import how_it_ended
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.stream import Stream
from faceswapd.ctl.terminal import Terminal

AGAIN_SECONDS: Final = 25.0  # after which a job is looked at although nothing was told of it
AWAY_SECONDS: Final = 30.0  # how long the daemon may be away: it restarts in a few seconds
TOLD_SECONDS: Final = 2.0  # after which whoever waits is told that it is away
BETWEEN_SECONDS: Final = 0.5  # between two tries to reach it
TIMED_OUT: Final = 4  # exit code
OVER: Final = ("succeeded", "failed", "cancelled", "parked")


class _Late(NamedTuple):
    """The time is over and the job has not ended."""

    state: str


def wait(client: Client, ids: list[int], timeout: float | None, terminal: Terminal, *, as_json: bool) -> int:
    """Wait for each job and print a line for it. `timeout` is in seconds, for all of them together.

    A parked job counts as ended: it waits for a person, so it would wait for ever.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    with Stream(client) as stream:
        return _wait(_Waiter(client, stream, deadline), ids, terminal, as_json=as_json)


def _wait(waiter: "_Waiter", ids: list[int], terminal: Terminal, *, as_json: bool) -> int:
    worst = 0
    for job in dict.fromkeys(ids):
        found = waiter.until_ended(job)
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


class _Waiter:
    """Looks at a job, and again whenever something is told of it. A daemon that is away is given time to come back."""

    def __init__(self, client: Client, stream: Stream, deadline: float | None) -> None:
        self._client = client
        self._deadline = deadline
        self._stream = stream
        self._away_since: float | None = None
        self._told = False

    def until_ended(self, job: int) -> JobDetail | Problem | _Late:
        """The job when it has ended, or why nobody knows."""
        while True:
            # Listened first and looked then: nothing happens between the two.
            listening = None if self._stream.connected else self._stream.connect()
            answer = self._client.get(JobDetail, f"/api/jobs/{job}")
            if isinstance(answer, Problem) and answer.code != UNREACHABLE:
                return answer
            if isinstance(answer, JobDetail) and answer.job.state in OVER:
                return answer
            problem = next((one for one in (answer, listening) if isinstance(one, Problem)), None)
            if problem is not None and problem.code == UNREACHABLE:
                if not self._is_given_time():
                    return problem
            else:
                self._away_since, self._told = None, False
                self._hear_of(job)
            if isinstance(answer, JobDetail) and self._left() <= 0:
                return _Late(answer.job.state)

    def _is_given_time(self) -> bool:
        """Wait a moment for a daemon that is away. False: it has been away for too long."""
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
        away = now - self._away_since
        if away >= AWAY_SECONDS or self._left() <= 0:
            return False
        if away >= TOLD_SECONDS and not self._told:
            complain(f"The daemon is away. It is given {AWAY_SECONDS - away:.0f} s more to come back.")
            self._told = True
        time.sleep(min(BETWEEN_SECONDS, max(self._left(), 0.0)))
        return True

    def _hear_of(self, job: int) -> None:
        """Until something is told of the job, the daemon goes away, or it is time to look again."""
        ends = time.monotonic() + min(AGAIN_SECONDS, self._left())
        while (left := ends - time.monotonic()) > 0:
            said = self._stream.next(left)
            if isinstance(said, Problem):  # also where it was refused: who answers is not asked in a tight loop
                time.sleep(min(BETWEEN_SECONDS, left))
                return
            if isinstance(said, Event) and said.job == job:
                return

    def _left(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()
