"""What a shell asks while somebody types: `faceswapctl __complete WHAT` gives names, one a line, and never complains.

A shell puts what it gets onto the command line as it is, and names come from whoever drops files: only those of
letters, digits and a few harmless signs are given.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from faceswapd.control.wire.messages import Jobs, Status
from faceswapd.ctl.client import Client, Problem

WORD: Final = "__complete"
SECONDS: Final = 1.0  # a daemon that takes longer helps nobody who types
SHOWN: Final = 200  # jobs

_HARMLESS: Final = re.compile(r"\w[\w.+@%-]*")
_STATES: Final = {
    "ids": (),
    "open": ("parked", "queued", "running"),
    "ended": ("failed", "cancelled"),
    "parked": ("parked",),
}


class _Named(NamedTuple):
    name: str


class _Presets(NamedTuple):
    """GET /api/presets, as far as it matters here."""

    presets: Sequence[_Named]


def complete(client: Client, what: Sequence[str]) -> int:
    """Print the names of one sort."""
    ask = _ASK.get(what[0] if what else "")
    if ask is not None:
        for name in dict.fromkeys(ask(client)):
            if _HARMLESS.fullmatch(name):
                print(name)
    return 0


def _jobs(sort: str) -> Callable[[Client], Iterable[str]]:
    def ask(client: Client) -> Iterable[str]:
        states = "".join(f"&state={state}" for state in _STATES[sort])
        answer = client.get(Jobs, f"/api/jobs?limit={SHOWN}{states}", SECONDS)
        return [] if isinstance(answer, Problem) else [str(job.id) for job in answer.jobs]

    return ask


def _faces(client: Client) -> Iterable[str]:
    answer = client.get(Status, "/api/status", SECONDS)
    return [] if isinstance(answer, Problem) else [face.name for face in answer.faces]


def _inboxes(client: Client) -> Iterable[str]:
    answer = client.get(Status, "/api/status", SECONDS)
    return [] if isinstance(answer, Problem) else [inbox.name for inbox in answer.inboxes]


def _presets(client: Client) -> Iterable[str]:
    answer = client.get(_Presets, "/api/presets", SECONDS)
    if not isinstance(answer, Problem):
        return [preset.name for preset in answer.presets]
    status = client.get(Status, "/api/status", SECONDS)
    return [] if isinstance(status, Problem) else [inbox.preset for inbox in status.inboxes]


_ASK: Final[dict[str, Callable[[Client], Iterable[str]]]] = {
    **{sort: _jobs(sort) for sort in _STATES},
    "faces": _faces,
    "inboxes": _inboxes,
    "presets": _presets,
}
