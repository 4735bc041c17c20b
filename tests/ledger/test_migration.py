import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.core.eta import Sort
from faceswapd.core.job import State
from faceswapd.core.target import Kind
from faceswapd.core.webhook import EVENTS
from faceswapd.core.wish import NOTHING
from faceswapd.ledger import admission, answers, claims, deliveries, outcomes, report, reports, submission
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.migration import migrations
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, faceless, ran


def schema(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    return [row[0] for row in rows]


@pytest.fixture
def fresh() -> Iterator[sqlite3.Connection]:
    """All migrations, run by hand."""
    connection = sqlite3.connect(":memory:")
    for number in sorted(migrations()):
        connection.executescript(migrations()[number])
    yield connection
    connection.close()


async def test_a_new_ledger_has_the_schema_of_all_migrations(ledger: Ledger, fresh: sqlite3.Connection) -> None:
    rows = await ledger.rows("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    assert [row["sql"] for row in rows] == schema(fresh)
    assert (await ledger.rows("PRAGMA user_version"))[0][0] == max(migrations())


def test_migrations_are_numbered_without_a_gap() -> None:
    assert sorted(migrations()) == list(range(1, len(migrations()) + 1))


async def test_opening_again_changes_nothing(tmp_path: Path, fresh: sqlite3.Connection) -> None:
    path = tmp_path / "ledger.sqlite3"
    for _ in range(2):
        opened = await Ledger.open(path)
        (job,) = await admit(opened, arrival())
        await opened.close()
    assert job == 1
    with sqlite3.connect(path) as connection:
        assert schema(connection) == schema(fresh)
    connection.close()


async def test_a_ledger_of_the_first_schema_is_brought_up_to_date_with_all_that_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{migrations()[1]} PRAGMA user_version = 1;")
        connection.execute(
            """INSERT INTO jobs (id, state, kind, inbox, target, relative, face, preset, priority, afterwards,
                   fingerprint, created_at)
               VALUES (7, 'queued', 'image', 'inbox', x'41', x'41', 'alice', 'best', 0, 'keep', 'print', 1.0)"""
        )
        connection.execute("INSERT INTO segments (job, number, state, inbox, priority) VALUES (7, 0, 'queued', 'i', 0)")
        connection.execute("INSERT INTO sightings (target, inode, size, modified, job) VALUES (x'41', 1, 2, 3, 7)")
    connection.close()
    opened = await Ledger.open(path)
    record = await reports.job(opened, 7)
    (sighting,) = await admission.sightings(opened)
    counts = await reports.counts(opened)
    (keys,) = await opened.rows("PRAGMA foreign_keys")
    (fresh,) = await admit(opened, arrival())
    await opened.close()
    assert record is not None
    assert (record.options, record.rung, record.face, record.wish) == ((), 0, "alice", NOTHING)
    assert (sighting.job, sighting.sidecar) == (7, "")
    assert counts[State.QUEUED].jobs == 1
    assert keys[0] == 1, "they were off only while the tables were made anew"
    assert fresh == 8, "a number is never used twice"


def tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [row[0] for row in rows]


def test_every_table_is_strict(fresh: sqlite3.Connection) -> None:
    listed = {row[1]: row[5] for row in fresh.execute("PRAGMA table_list")}
    assert {table: listed[table] for table in tables(fresh)} == dict.fromkeys(tables(fresh), 1)


def test_every_foreign_key_has_an_index(fresh: sqlite3.Connection) -> None:
    """Without one, the deletion of a row reads the whole table that points to it."""
    keys = {(table, key[3]) for table in tables(fresh) for key in fresh.execute(f"PRAGMA foreign_key_list({table})")}
    first_columns = {
        (table, fresh.execute(f"PRAGMA index_info({index[1]})").fetchone()[2])
        for table in tables(fresh)
        for index in fresh.execute(f"PRAGMA index_list({table})")
        if not index[4]  # a partial index serves only some rows
    }
    assert len(keys) >= 4
    assert keys <= first_columns


class Plans:
    """The query plans of all that a ledger was asked, reading and writing."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path)
        self.statements: set[str] = set()

    def hear(self, statement: str) -> None:
        if re.match(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)", statement):
            self.statements.add(statement)

    def steps(self) -> list[tuple[str, str]]:
        """Each statement with each step of its plan."""
        return [
            (statement, row[3])
            for statement in sorted(self.statements)
            for row in self._connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
async def plans(ledger: Ledger) -> Plans:
    """What a day's work asks: each kind of move and each report."""
    plans = Plans(ledger.path)
    for connection in (ledger._writer, ledger._reader):
        await connection.set_trace_callback(plans.hear)
    await admit(ledger, *(arrival(f"{number}.mp4") for number in range(6)), faceless(), arrival("a.mp4", "5.mp4"))
    for how in ("succeed", "crash", "cancel"):
        head = (await claims.queue(ledger, (), 1)).ready[0]
        execution = ran(await claims.claim(ledger, head.segment, RUNNER, NOW))
        await outcomes.child_known(ledger, execution.execution, 4711, NOW)
        await outcomes.progress(ledger, execution.segment, 0.5, "swapping")
        match how:
            case "succeed":
                await outcomes.succeed(ledger, execution, "/outbox/0.mp4", "result", NOW)
            case "crash":
                await outcomes.released(ledger, execution, NOW, crashed=True)
            case _:
                await outcomes.request_cancel(ledger, execution.job, NOW)
                await outcomes.cancelled(ledger, execution, NOW)
    await outcomes.requeue(ledger, 2, NOW)
    await outcomes.assign(ledger, 7, outcomes.Assignment("bob", "by hand", "balanced"), NOW)
    await admission.forget(ledger, ["/main/4.mp4"], NOW, "gone")
    await admission.sightings_of(ledger, ["/main/0.mp4"])
    await claims.wake_due(ledger, NOW)
    await claims.leftovers(ledger)
    await reports.counts(ledger)
    await reports.piles(ledger)
    await reports.job(ledger, 1)
    await reports.nearest(ledger, 100)
    await reports.jobs(ledger, [], 5)
    await reports.jobs(ledger, [State.QUEUED, State.FAILED], 5)
    await reports.waiting(ledger, 5)
    await reports.last_failed(ledger, 5)
    await reports.of_target(ledger, "/main/0.mp4")
    await reports.parked_needing_face(ledger)
    await reports.executions(ledger, 1)
    await reports.is_output(ledger, "/outbox/0.mp4", "0" * 64)
    await reports.events_of(ledger, 1, 5)
    await reports.past(ledger, "preview")
    await reports.past_of(ledger, "preview", [Sort(Kind.VIDEO, "balanced")])
    await report.jobs_of_faces(ledger)
    await report.failed_by_category(ledger)
    await report.waits(ledger, NOW)
    await report.open_executions(ledger)
    await report.first_job_at(ledger)
    await report.ended_jobs(ledger, "2025-01-01")
    await report.ended_executions(ledger, "2025-01-01")
    await report.all_executions(ledger)
    await answers.remember(ledger, "key", answers.Answer("request", 200, {}, {}), NOW, NOW - 1)
    await _hand_over(ledger)
    await _tell_webhooks(ledger)
    return plans


async def _tell_webhooks(ledger: Ledger) -> None:
    """What the webhooks ask."""
    await deliveries.know(ledger, ["hook"], NOW, NOW + 3600)
    await admit(ledger, arrival("told.mp4"), arrival("told too.mp4"))
    await deliveries.fill(ledger, {"hook": EVENTS})
    one, other = await deliveries.due(ledger, "hook", NOW, 5)
    await deliveries.not_taken(ledger, one, "It answered 500.", NOW + 5, NOW)
    await deliveries.delivered(ledger, other, NOW)
    await deliveries.next_due(ledger, "hook", NOW)
    await deliveries.tallies(ledger)
    await deliveries.give_up(ledger, "hook", "It is gone.", NOW)
    await deliveries.prune(ledger, NOW + 1)
    await deliveries.know(ledger, [], NOW, NOW + 3600)


async def _hand_over(ledger: Ledger) -> None:
    """What `submit` asks, and a target that is looked for."""
    offer = arrival("clip.mp4", "film", target="/clips/clip.mp4", inbox="")
    await submission.foresee(ledger, [offer])
    await submission.submit(ledger, [offer, offer, replace(offer, target="/clips/copy.mp4")], NOW)
    await submission.facts_known(ledger, offer.target, offer.signature)
    (handed,) = await submission.of_target(ledger, offer.target)
    record = await reports.job(ledger, handed.job)
    assert record is not None
    await submission.signature_taken(ledger, record)
    await submission.touched(ledger, record, offer.signature)
    assert await submission.copies(ledger, record)


async def test_each_index_is_used_by_a_query(plans: Plans, fresh: sqlite3.Connection) -> None:
    used = {match[1] for _, step in plans.steps() if (match := re.search(r"USING (?:COVERING )?INDEX (\w+)", step))}
    named = {row[0] for row in fresh.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")}
    plans.close()
    assert named - used == {"jobs_parked_target"}, "this one is a rule, and serves no query"


async def test_no_query_reads_a_whole_table_or_sorts_one(plans: Plans) -> None:
    """`job_counts`, the faces and the pauses are small; an index that is read in its order is no sort."""
    slow = [
        (statement, step)
        for statement, step in plans.steps()
        if (match := re.match(r"SCAN (jobs|segments|executions|events|sightings|deliveries)\b(.*)", step))
        and "INDEX" not in match[2]
        and not re.search(r"ORDER BY (jobs\.)?id( DESC)? LIMIT \d+$", statement)  # by the primary key, a few rows
    ]
    plans.close()
    assert slow == []


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (claims._INBOXES, "segments_ready"),
        (claims._READY.replace("?", "1"), "segments_ready"),
        ("SELECT 1 FROM segments WHERE state = 'queued' AND not_before <= 1 LIMIT 1", "segments_due"),
        (admission._KNOWN.replace("?", "x'00'"), "jobs_target"),
        (admission._KNOWN.replace("?", "'x'"), "jobs_fingerprint"),
        (admission._KNOWN.replace("?", "'x'"), "jobs_output_content"),
    ],
    ids=["inboxes", "ready", "due", "target", "fingerprint", "output"],
)
def test_a_hot_query_steps_through_its_index(fresh: sqlite3.Connection, query: str, index: str) -> None:
    steps = [row[3] for row in fresh.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert any(step.startswith("SEARCH") and index in step for step in steps), steps
    assert not any(step.startswith(("SCAN jobs", "SCAN segments")) for step in steps), steps
    assert not any("TEMP B-TREE" in step for step in steps), steps
