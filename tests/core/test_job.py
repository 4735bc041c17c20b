"""The table of the design: every state, every event, and where it leads. A blank is an illegal move."""

import pytest

from faceswapd.core.job import ENDED, TRANSITIONS, Event, IllegalTransition, State, move

TABLE = """
from      | claim   | succeed   | fail   | retry  | release | cancel    | requeue | assign
parked    |         |           |        |        |         | cancelled |         | queued
queued    | running |           |        |        |         | cancelled |         |
running   |         | succeeded | failed | queued | queued  | cancelled |         |
succeeded |         |           |        |        |         |           |         |
failed    |         |           |        |        |         |           | queued  |
cancelled |         |           |        |        |         |           | queued  |
"""

_HEAD, *_ROWS = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()]
MOVES = [(State(row[0]), Event(event), to) for row in _ROWS for event, to in zip(_HEAD[1:], row[1:], strict=True)]


def test_the_table_tells_every_pair_once() -> None:
    assert {(state, event) for state, event, _ in MOVES} == {(state, event) for state in State for event in Event}
    assert len(MOVES) == len(State) * len(Event)


@pytest.mark.parametrize(("state", "event", "to"), [one for one in MOVES if one[2]])
def test_a_move_leads_where_the_table_says(state: State, event: Event, to: str) -> None:
    assert move(7, state, event) is State(to)


@pytest.mark.parametrize(("state", "event"), [one[:2] for one in MOVES if not one[2]])
def test_a_move_that_is_not_in_the_table_raises(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransition) as caught:
        move(7, state, event)
    assert (caught.value.job, caught.value.state, caught.value.event) == (7, state, event)


def test_what_has_ended_comes_back_only_when_somebody_wants_it() -> None:
    ways_out = {event for event in Event if TRANSITIONS[event].sources & ENDED}
    assert ways_out == {Event.REQUEUE}


def test_nothing_leads_back_to_parked() -> None:
    assert State.PARKED not in {transition.destination for transition in TRANSITIONS.values()}
