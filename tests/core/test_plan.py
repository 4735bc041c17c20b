import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.plan import Decision, FreeSlot, Ready, Running, Sleep, Snapshot, Start, Stop, Timeouts, Why, plan

NOW = 10_000.0
READY = tuple(Ready(segment, 100 + segment, "alice", "balanced") for segment in (3, 1, 2))
IDLE = Snapshot(
    now=NOW,
    ready=(),
    running=(),
    free_slots=(FreeSlot(1), FreeSlot(2)),
    paused=False,
    gate_open=True,
    draining=False,
    insist=False,
    next_due=None,
)
TIMEOUTS = Timeouts(first_output=600, no_progress=120, download=120, wall=1800, wall_per_frame=5, wall_factor=10)
FINE = Running(
    segment=9, job=109, slot=1, started_at=NOW - 10, progressed_at=NOW - 1, quiet=120, wall=1800,
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
    assert starts(plan(replace(IDLE, ready=READY, free_slots=tuple(map(FreeSlot, slots))))) == expected


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
    assert TIMEOUTS.wall_for(frames) == wall


@pytest.mark.parametrize(("predicted", "wall"), [(0.0, 1800), (90.0, 1800), (180.0, 1800), (400.0, 4000)])
def test_where_the_past_tells_how_long_it_takes_a_multiple_of_that_is_the_limit(predicted: float, wall: float) -> None:
    assert TIMEOUTS.wall_for(1_000_000, predicted) == wall


spans = st.floats(0, 5000)
runnings = st.builds(
    Running,
    segment=st.integers(1, 10_000),
    job=st.integers(1, 10_000),
    slot=st.integers(1, 8),
    started_at=spans.map(lambda span: NOW - span),
    progressed_at=spans.map(lambda span: NOW - span),
    quiet=st.floats(1, 5000),
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
    free_slots=st.lists(st.integers(1, 8).map(FreeSlot), unique=True).map(tuple),
    paused=st.booleans(),
    gate_open=st.booleans(),
    draining=st.booleans(),
    insist=st.booleans(),
    next_due=st.none() | st.floats(NOW, NOW + 5000),
)


@settings(max_examples=40)
@given(snapshots)
def test_starts_are_the_head_of_the_queue_each_in_a_free_slot_of_its_own(snapshot: Snapshot) -> None:
    made = starts(plan(snapshot))
    held = snapshot.paused or snapshot.draining or not snapshot.gate_open
    assert len(made) == (0 if held else min(len(snapshot.ready), len(snapshot.free_slots)))
    assert [one.segment for one in made] == [one.segment for one in snapshot.ready[: len(made)]]
    assert [one.slot for one in made] == [slot.number for slot in snapshot.free_slots[: len(made)]]


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


@pytest.mark.parametrize(("allowance", "started"), [(None, 2), (0, 0), (1, 1)])
def test_the_breaker_says_how_many_may_start(allowance: int | None, started: int) -> None:
    assert len(starts(plan(replace(IDLE, ready=READY, allowance=allowance)))) == started


def test_it_wakes_for_the_probe_of_the_breaker() -> None:
    held = replace(IDLE, ready=READY, allowance=0, probe_at=NOW + 7)
    assert sleep(plan(held)) == NOW + 7
    assert sleep(plan(replace(held, paused=True))) is None


def queued(*sorts: str, priority: int = 0) -> tuple[Ready, ...]:
    """A queue of sorts such as "alice best", with segments numbered from 1."""
    return tuple(
        Ready(number, 100 + number, sort.split()[0], sort.split()[1], priority)
        for number, sort in enumerate(sorts, start=1)
    )


@pytest.mark.parametrize(
    ("slot", "queue", "segment"),
    [
        (FreeSlot(1), ("alice best", "bob fast"), 1),
        (FreeSlot(1, "bob", "fast"), ("alice best", "bob fast"), 2),
        (FreeSlot(1, "bob", "fast"), ("alice best", "alice fast", "bob best", "bob fast"), 4),
        (FreeSlot(1, "bob", "fast"), ("alice best", "alice fast", "bob best"), 2),
        (FreeSlot(1, "bob", "fast"), ("alice best", "bob best"), 1),
        (FreeSlot(1, "carol", "best"), ("alice best", "carol fast"), 1),
    ],
)
def test_a_warm_slot_takes_what_suits_it(slot: FreeSlot, queue: tuple[str, ...], segment: int) -> None:
    (start,) = starts(plan(replace(IDLE, ready=queued(*queue), free_slots=(slot,))))
    assert start.segment == segment
    assert start.passes == tuple(range(1, segment))


def test_a_warm_slot_chooses_before_a_cold_one() -> None:
    slots = (FreeSlot(1), FreeSlot(2, "alice", "best"))
    made = starts(plan(replace(IDLE, ready=queued("alice best", "bob fast"), free_slots=slots)))
    assert made == [Start(1, 101, 2), Start(2, 102, 1)]


def test_nobody_passes_a_higher_priority() -> None:
    urgent = Ready(9, 109, "bob", "fast", priority=10)
    snapshot = replace(IDLE, ready=(urgent, *queued("alice best")), free_slots=(FreeSlot(1, "alice", "best"),))
    assert [one.segment for one in starts(plan(snapshot))] == [9]


def test_one_that_was_passed_often_enough_goes_next() -> None:
    ready = (replace(queued("bob fast")[0], passed=3), *queued("bob fast", "alice best")[1:])
    snapshot = replace(IDLE, ready=ready, free_slots=(FreeSlot(1, "alice", "best"),), patience=3)
    assert [one.segment for one in starts(plan(snapshot))] == [1]
    assert [one.segment for one in starts(plan(replace(snapshot, patience=4)))] == [2]


def test_nobody_is_passed_more_often_than_patience_allows_in_two_thousand_queues() -> None:
    chance = random.Random(11)
    for _ in range(2_000):
        patience, slots = chance.randint(0, 4), chance.randint(1, 3)
        waiting = [
            Ready(segment, segment, chance.choice("ab"), chance.choice("xy"), chance.choice((0, 0, 0, 5)))
            for segment in range(chance.randint(1, 10))
        ]
        waiting.sort(key=lambda one: -one.priority)
        warm = {number: FreeSlot(number) for number in range(slots)}
        while waiting:
            free = tuple(warm[number] for number in chance.sample(range(slots), chance.randint(1, slots)))
            made = starts(plan(replace(IDLE, ready=tuple(waiting), free_slots=free, patience=patience)))
            assert len(made) == min(len(free), len(waiting))
            for start in made:
                one = next(one for one in waiting if one.segment == start.segment)
                warm[start.slot] = FreeSlot(start.slot, one.face, one.preset)
                assert all(one.priority >= other.priority for other in waiting if other.segment in start.passes)
            passes = Counter(segment for start in made for segment in start.passes)
            gone = {start.segment for start in made}
            waiting = [
                replace(one, passed=one.passed + passes[one.segment]) for one in waiting if one.segment not in gone
            ]
            assert all(one.passed <= patience for one in waiting)
