"""`faceswapctl events`: what has happened, and with -f what happens, over a restart of the daemon."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from typing import Final

from faceswapd.control.event_messages import Events
from faceswapd.control.job_messages import Event
from faceswapd.ctl.client import ANSWER_SECONDS, UNREACHABLE, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean, clock
from faceswapd.ctl.terminal import Line, Look, Terminal

MOST_JOBS: Final = 100  # that one question names
PIECE: Final = 1000  # events in one answer
SHOWN: Final = 50  # where nobody says how many
POLL_SECONDS: Final = 25.0  # how long the daemon holds one question
BETWEEN_SECONDS: Final = 0.5  # between two tries to reach it
AWAY: Final = "The daemon is away. Waiting for it; Ctrl-C ends this."
BACK: Final = "The daemon is back."
MISSED: Final = "Some events are missing here: they were cleared away meanwhile."
ANOTHER: Final = "The ledger is another one: its events are told from where it stands now."

_LOOKS: Final = {
    "succeeded": Look.GOOD,
    "failed": Look.BAD,
    "retry": Look.HELD,
    "parked": Look.HELD,
    "warning": Look.HELD,
    "held": Look.HELD,
    "cancelled": Look.ASIDE,
}


def events(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Tell the last events, or all since a time, and with `follow` go on until Ctrl-C."""
    if arguments.since is None:
        first = _asked(client, arguments.ids, f"limit={min(arguments.limit or SHOWN, PIECE)}")
    else:
        first = _asked(client, arguments.ids, f"since={arguments.since:.6f}&limit={PIECE}")
    if isinstance(first, Problem):
        return complain_of(first)
    reader = _Reader(client, arguments, terminal)
    try:
        return reader.read(first)
    except KeyboardInterrupt:
        return 0


def _asked(client: Client, jobs: Iterable[int], words: str, seconds: float = 0.0) -> Events | Problem:
    named = "".join(f"&job={job}" for job in jobs)
    return client.get(Events, f"/api/events?{words}{named}", seconds + ANSWER_SECONDS)


class _Reader:
    """Reads on from where it is."""

    def __init__(self, client: Client, arguments: Namespace, terminal: Terminal) -> None:
        self._client = client
        self._jobs = arguments.ids
        self._all = arguments.since is not None
        self._follows = arguments.follow
        self._as_json = arguments.json
        self._terminal = terminal
        self._last = 0

    def read(self, answer: Events) -> int:
        """Tell an answer, and what follows."""
        self._tell(answer)
        while self._follows or (self._all and len(answer.events) == PIECE):
            more = self._next()
            if isinstance(more, Problem):
                return complain_of(more)
            answer = more
            if answer.last < self._last and not answer.events:
                complain(ANOTHER)
            elif answer.first > self._last + 1:
                complain(MISSED)
            self._tell(answer)
        return 0

    def _next(self) -> Events | Problem:
        """What follows. A daemon that is away is waited for by whoever follows."""
        seconds, away = POLL_SECONDS if self._follows else 0.0, False
        while True:
            asked_at = time.monotonic()
            words = f"after={self._last}&limit={PIECE}" + (f"&seconds={seconds:.0f}" if seconds else "")
            answer = _asked(self._client, self._jobs, words, seconds)
            if isinstance(answer, Problem):
                if answer.code != UNREACHABLE or not self._follows:
                    return answer
                if not away:
                    complain(AWAY)
                away = True
                time.sleep(BETWEEN_SECONDS)
                continue
            if away:
                complain(BACK)
            elif self._follows and not answer.events:
                # One that stops answers before the time is over: it is not asked in a tight loop.
                time.sleep(max(0.0, BETWEEN_SECONDS - (time.monotonic() - asked_at)))
            return answer

    def _tell(self, answer: Events) -> None:
        self._last = answer.events[-1].id if answer.events else answer.last
        if self._as_json:
            for event in answer.events:
                print_json(event)
        else:
            self._terminal.show(map(_line, answer.events))
        if sys.stdout is not None:
            sys.stdout.flush()


def _line(event: Event) -> Line:
    who = "daemon" if event.job is None else f"job {event.job}"
    return Line(
        f"{clock(event.at)}  {who:<9}  {clean(event.kind)}: {clean(event.text)}", _LOOKS.get(event.kind, Look.PLAIN)
    )
