import pytest

from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.standing import FaceRecord, Pauses
from tests.ledger.arrivals import NOW


async def test_a_life_that_was_ended_is_told_from_one_that_broke_off(ledger: Ledger) -> None:
    assert await standing.begin(ledger, "first", 1), "there was none before it"
    await standing.end(ledger, NOW)
    assert await standing.begin(ledger, "second", 2)
    assert not await standing.begin(ledger, "third", 3), "the second one did not sign out"


async def test_pauses_outlive_the_daemon(ledger: Ledger) -> None:
    await standing.begin(ledger, "first", 1)
    await standing.pause(ledger, None, NOW)
    await standing.pause(ledger, "rush", NOW)
    await standing.pause(ledger, "rush", NOW + 1)
    await standing.begin(ledger, "second", 2)
    assert await standing.pauses(ledger) == Pauses(daemon=True, inboxes=frozenset({"rush"}), since=NOW)


@pytest.mark.parametrize(
    ("resumed", "left"),
    [
        (None, Pauses(daemon=False, inboxes=frozenset({"rush"}))),
        ("rush", Pauses(daemon=True, inboxes=frozenset(), since=NOW)),
        ("another", Pauses(daemon=True, inboxes=frozenset({"rush"}), since=NOW)),
    ],
)
async def test_a_resume_takes_one_pause_back(ledger: Ledger, resumed: str | None, left: Pauses) -> None:
    await standing.begin(ledger, "first", 1)
    await standing.pause(ledger, None, NOW)
    await standing.pause(ledger, "rush", NOW)
    await standing.resume(ledger, resumed, NOW)
    assert await standing.pauses(ledger) == left


async def gate_of(ledger: Ledger) -> str | None:
    row = await ledger.row("SELECT gate FROM daemon")
    assert row is not None
    return str(row["gate"]) if row["gate"] is not None else None


async def test_why_the_gate_is_closed_is_kept_for_this_life(ledger: Ledger) -> None:
    await standing.begin(ledger, "first", 1)
    await standing.gate(ledger, "The memory is nearly full.", NOW)
    assert await gate_of(ledger) == "The memory is nearly full."
    await standing.begin(ledger, "second", 2)
    assert await gate_of(ledger) is None, "a new life has not read the machine yet"


async def test_what_happens_to_the_daemon_is_in_the_history(ledger: Ledger) -> None:
    await standing.begin(ledger, "first", 1)
    await standing.pause(ledger, "rush", NOW)
    await standing.resume(ledger, None, NOW)
    await standing.gate(ledger, "The memory is nearly full.", NOW)
    await standing.gate(ledger, None, NOW)
    assert [row["kind"] for row in await ledger.rows("SELECT kind FROM events")] == [
        "paused",
        "resumed",
        "held",
        "open",
    ]


async def test_a_face_that_is_gone_stays_known(ledger: Ledger) -> None:
    await standing.see_faces(ledger, [FaceRecord("bob", 1, None), FaceRecord("alice", 3, None)], NOW)
    await standing.see_faces(ledger, [FaceRecord("alice", 2, None)], NOW)
    assert await standing.faces(ledger) == [
        FaceRecord("alice", 2, None),
        FaceRecord("bob", 0, "is gone from the faces folder"),
    ]


@pytest.mark.parametrize(("before", "after"), [("alice", "Alice"), ("Zoe\u0308", "Zo\u00eb")])
async def test_another_spelling_of_a_name_is_the_same_face(ledger: Ledger, before: str, after: str) -> None:
    await standing.see_faces(ledger, [FaceRecord(before, 1, None)], NOW)
    await standing.see_faces(ledger, [FaceRecord(after, 1, None)], NOW)
    assert await standing.faces(ledger) == [FaceRecord(after, 1, None)]


async def test_a_face_whose_name_is_no_text_is_spelled_out(ledger: Ledger) -> None:
    await standing.see_faces(ledger, [FaceRecord("caf\udce9", 1, None)], NOW)
    assert [face.name for face in await standing.faces(ledger)] == [r"caf\udce9"]
