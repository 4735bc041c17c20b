from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.gate import FolderReading, Gate, GpuReading, Limits, Reading, judge, size_text

MB = 1_000_000
LIMITS = Limits(cpu_percent=90, load_per_core=2, memory_free=500 * MB, disk_free=1000 * MB, gpu_free=200 * MB)
OFF = Limits(0, 0, 0, 0, 0)
FINE = Reading(
    at=0,
    cpu_percent=10,
    load_per_core=0.5,
    memory_free=4000 * MB,
    folders=(FolderReading("outbox", "/out", 9000 * MB), FolderReading("scratch folder", "/scratch", 9000 * MB)),
    gpus=(GpuReading("GPU 0", 900 * MB),),
)


def outbox(free: int | None, problem: str | None = None) -> Reading:
    return replace(FINE, folders=(FolderReading("outbox", "/out", free, problem), FINE.folders[1]))


def keys(gate: Gate) -> list[str]:
    return [held.key for held in gate.held]


def test_a_machine_with_room_opens_the_gate() -> None:
    assert judge(FINE, LIMITS, Gate()) == Gate()
    assert Gate().open
    assert Gate().why is None


def edge(key: str, readings: list[Reading]) -> tuple[str, Reading, Reading, Reading, Reading]:
    fine, over, near, better = readings
    return key, fine, over, near, better


# Each limit: the last reading that is fine, the first that closes, the last that keeps it closed, the first that opens.
EDGES = [
    edge("cpu", [replace(FINE, cpu_percent=value) for value in (90, 90.1, 80.1, 80)]),
    edge("load", [replace(FINE, load_per_core=value) for value in (2, 2.01, 1.51, 1.5)]),
    edge("memory", [replace(FINE, memory_free=value * MB) for value in (500, 499, 549, 550)]),
    edge("folder:/out", [outbox(value * MB) for value in (1000, 999, 1099, 1100)]),
    edge("gpu:GPU 0", [replace(FINE, gpus=(GpuReading("GPU 0", value * MB),)) for value in (200, 199, 219, 221)]),
]


@pytest.mark.parametrize(("key", "fine", "over", "near", "better"), EDGES, ids=[one[0] for one in EDGES])
def test_a_limit_closes_the_gate_and_a_margin_opens_it_again(
    key: str, fine: Reading, over: Reading, near: Reading, better: Reading
) -> None:
    assert judge(fine, LIMITS, Gate()).open
    closed = judge(over, LIMITS, Gate())
    assert keys(closed) == [key]
    assert keys(judge(near, LIMITS, closed)) == [key], "closed: not better than the limit by the margin"
    assert judge(near, LIMITS, Gate()).open, "open: the limit itself is not passed"
    assert judge(better, LIMITS, closed).open


@pytest.mark.parametrize("over", [one[2] for one in EDGES], ids=[one[0] for one in EDGES])
def test_a_limit_of_0_is_off(over: Reading) -> None:
    assert judge(over, OFF, Gate()).open
    assert judge(over, OFF, judge(over, LIMITS, Gate())).open, "also when it is switched off while closed"


@pytest.mark.parametrize(
    ("reading", "reason", "what", "limit"),
    [
        (EDGES[0][2], "Other programs use the processor.", "90 %", "90 %"),
        (replace(FINE, load_per_core=7.25), "The machine's load is high.", "7.2 a core", "2.0 a core"),
        (replace(FINE, memory_free=20 * MB), "The memory is nearly full.", "20 MB free", "500 MB free"),
        (outbox(0), "The disk of the outbox is nearly full.", "0 B free", "1.0 GB free"),
        (
            replace(FINE, gpus=(GpuReading("GPU 0", 0),)),
            "The memory of GPU 0 is nearly full.",
            "0 B free",
            "200 MB free",
        ),
        (outbox(None, "is not there"), "The outbox is not there: /out.", "is not there", "writable"),
    ],
)
def test_the_reason_the_reading_and_the_limit_are_said(reading: Reading, reason: str, what: str, limit: str) -> None:
    (held,) = judge(reading, LIMITS, Gate()).held
    assert (held.reason, held.reading, held.limit) == (reason, what, limit)


def test_a_folder_that_cannot_be_used_holds_without_any_limit() -> None:
    assert keys(judge(outbox(9000 * MB, "is not writable for this user"), OFF, Gate())) == ["folder:/out"]


def test_all_reasons_are_told_together() -> None:
    gate = judge(replace(FINE, cpu_percent=99, memory_free=0), LIMITS, Gate())
    assert not gate.open
    assert gate.why == "Other programs use the processor. The memory is nearly full."


def test_each_limit_has_its_own_margin() -> None:
    """A full memory must not hold the processor to its lower limit."""
    full = judge(replace(FINE, memory_free=0), LIMITS, Gate())
    assert keys(judge(replace(FINE, cpu_percent=85), LIMITS, full)) == []


@pytest.mark.parametrize("limit", [1.0, 5.0, 10.0, 15.0])
def test_a_low_limit_can_open_again(limit: float) -> None:
    """The margin of 10 per cent would ask for less than nothing."""
    limits = replace(LIMITS, cpu_percent=limit)
    closed = judge(replace(FINE, cpu_percent=50), limits, Gate())
    assert judge(replace(FINE, cpu_percent=limit / 2), limits, closed).open


readings = st.builds(
    Reading,
    at=st.just(0.0),
    cpu_percent=st.floats(0, 100),
    load_per_core=st.floats(0, 10),
    memory_free=st.integers(0, 1000 * MB),
    folders=st.tuples(st.builds(FolderReading, st.just("outbox"), st.just("/out"), st.integers(0, 2000 * MB))),
    gpus=st.tuples(st.builds(GpuReading, st.just("GPU 0"), st.integers(0, 400 * MB))),
)
inside_the_margins = st.builds(
    Reading,
    at=st.just(0.0),
    cpu_percent=st.floats(80, 90, exclude_min=True),
    load_per_core=st.floats(1.5, 2, exclude_min=True),
    memory_free=st.integers(500 * MB, 549 * MB),
    folders=st.tuples(st.builds(FolderReading, st.just("outbox"), st.just("/out"), st.integers(1000 * MB, 1099 * MB))),
    gpus=st.tuples(st.builds(GpuReading, st.just("GPU 0"), st.integers(200 * MB, 219 * MB))),
)


@settings(max_examples=40)
@given(readings, st.lists(inside_the_margins, min_size=1, max_size=20))
def test_it_never_flutters_inside_the_margins(first: Reading, rest: list[Reading]) -> None:
    gate = before = judge(first, LIMITS, Gate())
    for reading in rest:
        gate = judge(reading, LIMITS, gate)
        assert keys(gate) == keys(before)


@settings(max_examples=40)
@given(readings, readings)
def test_a_reading_judged_twice_says_the_same(first: Reading, second: Reading) -> None:
    gate = judge(second, LIMITS, judge(first, LIMITS, Gate()))
    assert judge(second, LIMITS, gate) == gate


@settings(max_examples=40)
@given(readings)
def test_reasons_are_sentences(reading: Reading) -> None:
    for held in judge(reading, LIMITS, Gate()).held:
        assert held.reason[0].isupper()
        assert held.reason.endswith(".")
        assert ".." not in held.reason


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (7, "7 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (1_300_000, "1.3 MB"),
        (9_960_000, "10 MB"),
        (512 * MB, "512 MB"),
        (999_999, "1.0 MB"),
        (3_200 * MB, "3.2 GB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert size_text(size) == text
