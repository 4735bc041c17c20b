"""A job, its segments, and every state and move they can have.

Everything that affects the state machine lives in this file. The ledger builds each UPDATE from
TRANSITIONS, so a move that is not in the table cannot happen; it raises IllegalTransition.

    parked     seen, but not to be run as it is: nobody said whose face it gets, or it cannot be read
    queued     waits for a slot (or for `not_before`)
    running    a segment of it is claimed
    succeeded  its output was proved and lies in the outbox
    failed     it will not be tried again by itself
    cancelled  somebody took it back

Paused is no state: the daemon or an inbox is paused. Waiting to retry is no state: `not_before` is a
column. A request to cancel a running job is no state either: `cancel_requested_at` is a column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a job stands."""

    PARKED = "parked"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What moves a job."""

    CLAIM = "claim"  # a slot takes it
    SUCCEED = "succeed"  # its output is in the outbox
    FAIL = "fail"  # given up
    RETRY = "retry"  # failed, and tried again after `not_before`
    RELEASE = "release"  # the daemon stopped or died: back in the queue, no attempt spent
    CANCEL = "cancel"
    REQUEUE = "requeue"  # the user wants a failed or cancelled one again
    ASSIGN = "assign"  # a parked one got its face


@dataclass(frozen=True, slots=True)
class Transition:
    """One event: from which states it may come, and the one state it leads to."""

    sources: frozenset[State]
    destination: State


TRANSITIONS: Final[Mapping[Event, Transition]] = {
    Event.CLAIM: Transition(frozenset({State.QUEUED}), State.RUNNING),
    Event.SUCCEED: Transition(frozenset({State.RUNNING}), State.SUCCEEDED),
    Event.FAIL: Transition(frozenset({State.RUNNING}), State.FAILED),
    Event.RETRY: Transition(frozenset({State.RUNNING}), State.QUEUED),
    Event.RELEASE: Transition(frozenset({State.RUNNING}), State.QUEUED),
    Event.CANCEL: Transition(frozenset({State.PARKED, State.QUEUED, State.RUNNING}), State.CANCELLED),
    Event.REQUEUE: Transition(frozenset({State.FAILED, State.CANCELLED}), State.QUEUED),
    Event.ASSIGN: Transition(frozenset({State.PARKED}), State.QUEUED),
}

ENDED: Final = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
MAX_INTERRUPTIONS: Final = 3  # a file that takes the machine down must not come back for ever


class IllegalTransition(Exception):
    """The event does not fit the job's state, or somebody was first."""

    def __init__(self, job: int, state: State | None, event: Event) -> None:
        super().__init__(f"job {job} is {state}: it cannot {event}")
        self.job = job
        self.state = state
        self.event = event


def move(job: int, state: State, event: Event) -> State:
    """The state after an event. Raises IllegalTransition."""
    transition = TRANSITIONS[event]
    if state not in transition.sources:
        raise IllegalTransition(job, state, event)
    return transition.destination


class Parked(StrEnum):
    """Why a job is parked. Only the first kind can be assigned a face."""

    NEEDS_FACE = "needs_face"
    UNREADABLE = "unreadable"
    INCOMPLETE = "incomplete"
    MISTAKEN = "mistaken"  # its sidecar, or its folder's defaults, cannot be understood
