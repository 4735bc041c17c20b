from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.plan import Decision, Ready, Running, Sleep, Snapshot, Start, Stop, Timeouts, Why, plan

NOW = 10_000.0
READY = tuple(Ready(segment, 100 + segment, "alice", "balanced") for segment in (3, 1, 2))
IDLE = Snapshot(
    now=NOW,
    ready=(),
    running=(),
    free_slots=(1, 2),
    paused=False,
    gate_open=True,
    draining=False,
    insist=False,
    next_due=None,
    timeouts=Timeouts(no_progress=120, wall=1800, wall_per_frame=5),
)
FINE = Running(
    segment=9, job=109, slot=1, started_at=NOW - 10, progressed_at=NOW - 1, wall=1800,
    cancel_requested=False, stopping=False,
)  # fmt: skip


def starts(decisions: tuple[Decision, ...]) -> list[Start]:
    return [one for one in decisions if isinstance(one, Start)]


def stops(decisions: tuple[Decision, ...]) -> list[Stop]:
    return [one for one in decisions if isinstance(one, Stop)]


def sleep(decisions: tuple[Decision, ...]) -> float | None:
    assert isinstance(decisions[-1], Sleep)
    return decisions[-1].until


def test_nothing_to_do_is_a_sleep_until_something_happens() -> None:
    assert plan(IDLE) == (Sleep(None),)


@pytest.mark.parametrize(
    ("slots", "expected"),
    [
        ((), []),
        ((4,), [Start(3, 103, 4)]),
        ((4, 2), [Start(3, 103, 4), Start(1, 101, 2)]),
        ((1, 2, 3, 4), [Start(3, 103, 1), Start(1, 101, 2), Start(2, 102, 3)]),
    ],
)
def test_the_head_of_the_queue_starts_in_the_free_slots(slots: tuple[int, ...], expected: list[Start]) -> None:
    assert starts(plan(replace(IDLE, ready=READY, free_slots=slots))) == expected


@pytest.mark.parametrize("held", [{"paused": True}, {"gate_open": False}, {"draining": True}], ids=str)
def test_nothing_starts_while_it_is_held(held: dict[str, bool]) -> None:
    snapshot = replace(IDLE, ready=READY, running=(FINE,), **held)  # type: ignore[arg-type]
    assert starts(plan(snapshot)) == []
    assert stops(plan(snapshot)) == [], "what runs goes on"


@pytest.mark.parametrize(
    ("running", "insist", "why"),
    [
        (FINE, False, None),
        (replace(FINE, cancel_requested=True), False, Why.CANCEL),
        (FINE, True, Why.RELEASE),
        (replace(FINE, cancel_requested=True), True, Why.CANCEL),
        (replace(FINE, progressed_at=NOW - 119.9), False, None),
        (replace(FINE, progressed_at=NOW - 120), False, Why.STALLED),
        (replace(FINE, started_at=NOW - 1799.9), False, None),
        (replace(FINE, started_at=NOW - 1800), False, Why.OVERTIME),
        (replace(FINE, started_at=NOW - 1800, progressed_at=NOW - 120), False, Why.OVERTIME),
        (replace(FINE, started_at=NOW - 1800, wall=5000), False, None),
        (replace(FINE, cancel_requested=True, stopping=True), True, None),
    ],
)
def test_why_a_running_one_is_stopped(running: Running, insist: bool, why: Why | None) -> None:  # noqa: FBT001
    decisions = plan(replace(IDLE, running=(running,), draining=insist, insist=insist))
    assert stops(decisions) == ([] if why is None else [Stop(9, why)])


@pytest.mark.parametrize(
    ("change", "until"),
    [
        ({"next_due": NOW + 5}, NOW + 5),
        ({"next_due": NOW + 5, "paused": True}, None),
        ({"next_due": NOW + 5, "draining": True}, None),
        ({"running": (FINE,)}, NOW + 119),
        ({"running": (replace(FINE, started_at=NOW - 1790),)}, NOW + 10),
        ({"running": (replace(FINE, stopping=True),)}, None),
        ({"running": (FINE, replace(FINE, progressed_at=NOW - 100)), "next_due": NOW + 50}, NOW + 20),
    ],
)
def test_it_sleeps_until_the_next_thing_to_do(change: dict[str, object], until: float | None) -> None:
    assert sleep(plan(replace(IDLE, **change))) == until  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("frames", "wall"), [(None, 1800), (0, 1800), (1, 1800), (360, 1800), (361, 1805), (1000, 5000)]
)
def test_a_long_video_may_run_longer(frames: int | None, wall: float) -> None:
    assert IDLE.timeouts.wall_for(frames) == wall


spans = st.floats(0, 5000)
runnings = st.builds(
    Running,
    segment=st.integers(1, 10_000),
    job=st.integers(1, 10_000),
    slot=st.integers(1, 8),
    started_at=spans.map(lambda span: NOW - span),
    progressed_at=spans.map(lambda span: NOW - span),
    wall=st.floats(1, 5000),
    cancel_requested=st.booleans(),
    stopping=st.booleans(),
)
snapshots = st.builds(
    Snapshot,
    now=st.just(NOW),
    ready=st.lists(
        st.builds(Ready, st.integers(1, 10_000), st.integers(1, 10_000), st.just("alice"), st.just("best")),
        unique_by=lambda ready: ready.segment,
        max_size=8,
    ).map(tuple),
    running=st.lists(runnings, unique_by=lambda running: running.segment, max_size=8).map(tuple),
    free_slots=st.lists(st.integers(1, 8), unique=True).map(tuple),
    paused=st.booleans(),
    gate_open=st.booleans(),
    draining=st.booleans(),
    insist=st.booleans(),
    next_due=st.none() | st.floats(NOW, NOW + 5000),
    timeouts=st.just(IDLE.timeouts),
)


@settings(max_examples=40)
@given(snapshots)
def test_starts_are_the_head_of_the_queue_each_in_a_free_slot_of_its_own(snapshot: Snapshot) -> None:
    made = starts(plan(snapshot))
    held = snapshot.paused or snapshot.draining or not snapshot.gate_open
    assert len(made) == (0 if held else min(len(snapshot.ready), len(snapshot.free_slots)))
    assert [one.segment for one in made] == [one.segment for one in snapshot.ready[: len(made)]]
    assert [one.slot for one in made] == list(snapshot.free_slots[: len(made)])


@settings(max_examples=40)
@given(snapshots)
def test_what_was_told_to_stop_is_not_told_again(snapshot: Snapshot) -> None:
    told = {one.segment for one in stops(plan(snapshot))}
    after = tuple(replace(one, stopping=True) if one.segment in told else one for one in snapshot.running)
    assert stops(plan(replace(snapshot, running=after))) == []
    assert not told & {one.segment for one in snapshot.running if one.stopping}


@settings(max_examples=40)
@given(snapshots)
def test_an_insisting_stop_reaches_everything_that_runs(snapshot: Snapshot) -> None:
    told = {one.segment for one in stops(plan(replace(snapshot, insist=True)))}
    assert told == {one.segment for one in snapshot.running if not one.stopping}


@settings(max_examples=40)
@given(snapshots, st.floats(0, 1))
def test_nothing_has_to_be_stopped_before_the_sleep_is_over(snapshot: Snapshot, part: float) -> None:
    told = {one.segment for one in stops(plan(snapshot))}
    rest = replace(snapshot, running=tuple(one for one in snapshot.running if one.segment not in told))
    until = sleep(plan(rest))
    earlier = NOW + 5000 * part if until is None else NOW + (until - NOW) * part * 0.999
    assert stops(plan(replace(rest, now=earlier))) == []
