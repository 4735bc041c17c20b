from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswapd.core.gate import FolderReading
from faceswapd.core.plan import FreeSlot, Ready, Snapshot, Start, plan, short_of_space
from faceswapd.core.space import NOTHING, SMALL, Making, Need, Room, lack, need_of, one_disk, room_of
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import Pass, Trim, Wish

MB = 1_000_000
HD = Facts(Kind.VIDEO, "a", 60 * MB, 1920, 1080, 1800, 60.0, 0, 1)
PHOTO = Facts(Kind.IMAGE, "b", 4 * MB, 4000, 3000, 1, None, 0, 0)
FACEFUSION = Making(prepares=True, finishes=True)


@pytest.mark.parametrize(
    ("facts", "making", "on_disk", "need"),
    [
        (None, Making(), False, NOTHING),
        (HD, Making(), False, Need(SMALL + 186_624_000)),  # 0.05 bytes a pixel are more than three times its size
        (replace(HD, size=100 * MB), Making(), False, Need(SMALL + 300 * MB)),
        (HD, FACEFUSION, False, Need(3 * (SMALL + 186_624_000))),
        (HD, FACEFUSION, True, Need(3 * (SMALL + 186_624_000) + 5_598_720_000)),
        (HD, Making(copies=True), False, Need(SMALL + 186_624_000, SMALL + 186_624_000)),
        (PHOTO, Making(), False, Need(SMALL + 36 * MB)),
        (PHOTO, FACEFUSION, True, Need(3 * (SMALL + 36 * MB))),  # an image has no frames on disk
    ],
)
def test_what_an_execution_needs(facts: Facts | None, making: Making, on_disk: bool, need: Need) -> None:  # noqa: FBT001
    assert need_of(facts, making, frames_on_disk=on_disk) == need


@pytest.mark.parametrize(
    ("wish", "need"),
    [
        (Wish(trim=Trim(10.0, 25.0)), Need(4 * (SMALL + 46_656_000))),  # a quarter of it, and the part itself
        (Wish(trim=Trim(45.0)), Need(4 * (SMALL + 46_656_000))),
        (Wish(trim=Trim(0.0, 600.0)), Need(4 * (SMALL + 186_624_000))),
        (
            Wish(passes=(Pass("alice"), Pass("bob", 1))),
            Need(4 * (SMALL + 186_624_000)),
        ),  # one leaves the next
    ],
)
def test_what_a_part_and_several_persons_need(wish: Wish, need: Need) -> None:
    assert need_of(HD, FACEFUSION, wish) == need


def disks(outbox: int | None = 1, scratch: int | None = 2, used: int = 0) -> tuple[FolderReading, ...]:
    return (
        FolderReading("outbox", "/out", 5000 * MB, device=outbox),
        FolderReading("scratch folder", "/scratch", 1000 * MB, device=scratch, used=used),
        FolderReading("state folder", "/state", 1, device=3),
    )


@pytest.mark.parametrize(
    ("outbox", "scratch", "same"), [(1, 1, True), (1, 2, False), (None, 1, False), (None, None, False)]
)
def test_two_folders_on_one_disk(outbox: int | None, scratch: int | None, same: bool) -> None:  # noqa: FBT001
    assert one_disk(disks(outbox, scratch)) is same


@pytest.mark.parametrize(
    ("used", "running", "left", "whole"),
    [
        (0, [], Need(900 * MB, 4900 * MB), Need(900 * MB, 4900 * MB)),
        (50 * MB, [], Need(900 * MB, 4900 * MB), Need(900 * MB, 4900 * MB)),  # a stranger's: it does not go away
        (0, [Need(300 * MB, 100 * MB)], Need(600 * MB, 4800 * MB), Need(900 * MB, 4900 * MB)),
        (200 * MB, [Need(300 * MB)], Need(800 * MB, 4900 * MB), Need(1100 * MB, 4900 * MB)),
        (500 * MB, [Need(300 * MB)], Need(900 * MB, 4900 * MB), Need(1200 * MB, 4900 * MB)),  # more than it was given
    ],
)
def test_what_is_left_beside_what_runs(used: int, running: list[Need], left: Need, whole: Need) -> None:
    assert room_of(disks(used=used), 100 * MB, running) == Room(left, whole)


@pytest.mark.parametrize(
    ("need", "sentence"),
    [
        (Need(10, 10), None),
        (Need(0, 21), "It needs 21 B of space on the disk of the outbox, and 20 B are free."),
        (Need(11, 21), "It needs 11 B of space on the disk of the scratch folder, and 10 B are free."),
    ],
)
def test_why_it_waits(need: Need, sentence: str | None) -> None:
    assert lack(need, Need(10, 20)) == sentence
    assert need.fits(Need(10, 20)) is (sentence is None)


def test_what_is_short_by_a_little_is_not_told_as_if_it_were_enough() -> None:
    assert lack(Need(1_340_000), Need(1_320_000)) == (
        "It needs 1.3 MB of space on the disk of the scratch folder, and a little less is free."
    )


def test_nothing_is_below_zero_in_words() -> None:
    assert lack(Need(3_200 * MB), Need(-5)) == (
        "It needs 3.2 GB of space on the disk of the scratch folder, and 0 B are free."
    )


NOW = 10_000.0
EMPTY = Snapshot(NOW, (), (), (), paused=False, gate_open=True, draining=False, insist=False, next_due=None)


def starts(snapshot: Snapshot) -> list[int]:
    return [one.segment for one in plan(snapshot) if isinstance(one, Start)]


def waiting(*needs: int, passed: int = 0) -> tuple[Ready, ...]:
    return tuple(
        Ready(number, 100 + number, "alice", "balanced", passed=passed, need=Need(need))
        for number, need in enumerate(needs, start=1)
    )


def snapshot(ready: tuple[Ready, ...], left: int, whole: int, slots: int = 2) -> Snapshot:
    free = tuple(FreeSlot(number) for number in range(1, slots + 1))
    return replace(EMPTY, ready=ready, free_slots=free, room=Room(Need(left), Need(whole)))


@pytest.mark.parametrize(
    ("ready", "left", "whole", "started"),
    [
        (waiting(5, 5, 5), 10, 10, [1, 2]),
        (waiting(5, 6, 5), 10, 10, [1, 3]),  # a smaller one behind it may start
        (waiting(20, 5), 10, 30, [2]),
        (waiting(20, 5, passed=20), 10, 30, []),  # it was passed often enough: what runs is waited for
        (waiting(40, 5, passed=20), 10, 30, [2]),  # for this one nobody needs to wait
        (waiting(20, 5, passed=20), 30, 30, [1, 2]),
        (waiting(0, 1), -3, 10, [1]),  # it needs nothing
        (waiting(1), 0, 0, []),
    ],
)
def test_who_starts_in_little_space(ready: tuple[Ready, ...], left: int, whole: int, started: list[int]) -> None:
    assert starts(snapshot(ready, left, whole)) == started


def test_a_lower_priority_may_start_where_the_higher_one_finds_no_space() -> None:
    high, low = waiting(20, 5)
    assert starts(snapshot((replace(high, priority=5), low), 10, 10)) == [2]
    assert starts(snapshot((replace(high, priority=5), low), 20, 20, slots=1)) == [1]


def test_the_reason_is_told_by_job() -> None:
    short = short_of_space(snapshot(waiting(20, 5), 10, 30))
    assert short == {101: "It needs 20 B of space on the disk of the scratch folder, and 10 B are free."}
    assert short_of_space(replace(EMPTY, ready=waiting(20))) == {}


needs = st.builds(Need, st.integers(0, 40), st.integers(0, 40))
readies = st.lists(
    st.builds(
        Ready, segment=st.integers(1, 10_000), job=st.integers(1, 10_000), face=st.sampled_from("ab"),
        preset=st.sampled_from("xy"), priority=st.integers(0, 2), passed=st.integers(0, 30), need=needs,
    ),
    unique_by=lambda one: one.segment, max_size=8,
).map(lambda found: tuple(sorted(found, key=lambda one: -one.priority)))  # fmt: skip
slots = st.lists(
    st.builds(FreeSlot, st.integers(1, 9), st.sampled_from([None, "a", "b"]), st.sampled_from([None, "x", "y"])),
    unique_by=lambda slot: slot.number, max_size=4,
).map(tuple)  # fmt: skip


@given(readies, slots, needs, needs)
def test_never_more_is_started_than_there_is_space_for(
    ready: tuple[Ready, ...], free: tuple[FreeSlot, ...], left: Need, running: Need
) -> None:
    shot = replace(EMPTY, ready=ready, free_slots=free, room=Room(left, left + running))
    made = [one for one in plan(shot) if isinstance(one, Start)]
    assert sum((one.need for one in made), NOTHING).fits(left)


@given(readies, slots, needs)
def test_where_nothing_runs_something_that_fits_is_started(
    ready: tuple[Ready, ...], free: tuple[FreeSlot, ...], left: Need
) -> None:
    made = starts(replace(EMPTY, ready=ready, free_slots=free, room=Room(left, left)))
    assert bool(made) == (bool(free) and any(one.need.fits(left) for one in ready))


@given(st.integers(1, 100), st.integers(0, 25))
def test_a_large_one_is_not_starved(small: int, patience: int) -> None:
    """However many small ones come, it starts after it was passed `patience` times and what ran has ended."""
    passed, running = 0, small
    for _ in range(patience + 3):
        ready = (Ready(1, 101, "a", "x", need=Need(100), passed=passed), Ready(2, 102, "a", "x", need=Need(0)))
        shot = replace(snapshot(ready, 100 - running, 100, slots=1), patience=patience)
        began = [one for one in plan(shot) if isinstance(one, Start)]
        if [one.segment for one in began] == [1]:
            break
        passed += sum(1 in one.passes for one in began)
        running = small if began else 0  # the next small one comes before the last has ended
    else:
        raise AssertionError("starved")
    assert passed == patience
