"""`faceswapctl events`: what has happened, and with -f what happens, over a restart of the daemon."""

import sys
import time
from argparse import Namespace
from collections.abc import Iterable
from typing import Final

from faceswapd.control.wire.event_messages import Events
from faceswapd.control.wire.job_messages import Event
from faceswapd.control.wire.stream_messages import Hello
from faceswapd.ctl.client import UNREACHABLE, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean, clock
from faceswapd.ctl.stream import SILENT_SECONDS, Stream
from faceswapd.ctl.terminal import Line, Look, Terminal

MOST_JOBS: Final = 100  # that one question names
PIECE: Final = 1000  # events in one answer
SHOWN: Final = 50  # where nobody says how many
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


def _asked(client: Client, jobs: Iterable[int], words: str) -> Events | Problem:
    named = "".join(f"&job={job}" for job in jobs)
    return client.get(Events, f"/api/events?{words}{named}")


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
        while self._all and len(answer.events) == PIECE:
            more = _asked(self._client, self._jobs, f"after={self._last}&limit={PIECE}")
            if isinstance(more, Problem):
                return complain_of(more)
            answer = more
            self._tell(answer)
        if not self._follows:
            return 0
        with Stream(self._client, self._last) as stream:
            return self._follow(stream)

    def _follow(self, stream: Stream) -> int:
        """Tell what the daemon tells from here on. One that is away is waited for."""
        away = False
        while True:
            said = stream.next(SILENT_SECONDS) if stream.connected else stream.connect()
            if isinstance(said, Problem):
                if said.code != UNREACHABLE:
                    return complain_of(said)
                if not away:
                    complain(AWAY)
                away = True
                time.sleep(BETWEEN_SECONDS)
            elif isinstance(said, Hello):
                if away:
                    complain(BACK)
                away = False
                if said.missed:
                    complain(ANOTHER if said.last < self._last else MISSED)
                self._last = said.last
            elif isinstance(said, Event):
                self._tell(Events([said] if not self._jobs or said.job in self._jobs else [], said.id, said.id))

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
