import pytest

from faceswapd.ledger import events
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.history import note
from tests.ledger.arrivals import NOW, admit, arrival


async def write(ledger: Ledger, at: float, text: str, job: int | None = None) -> None:
    await ledger.write(lambda connection: note(connection, at, job, "test", text))


async def test_a_reader_goes_on_where_he_was(ledger: Ledger) -> None:
    assert await events.ends(ledger) == (0, 0)
    assert await events.after(ledger, 0, 10) == []
    first, second = await admit(ledger, arrival("1.mp4"), arrival("2.mp4"))
    start, last = await events.ends(ledger)
    await write(ledger, NOW, "all")
    await write(ledger, NOW, "more", second)
    found = await events.after(ledger, last, 10)
    assert [(one.job, one.text) for one in found] == [(None, "all"), (second, "more")]
    assert [one.text for one in await events.after(ledger, last, 1)] == ["all"]
    assert await events.after(ledger, found[-1].id, 10) == []
    assert {one.job for one in await events.after(ledger, 0, 10, first)} == {first}
    assert [one.text for one in await events.after(ledger, last, 10, second)] == ["more"]
    assert (await events.ends(ledger)) == (start, found[-1].id)


@pytest.mark.parametrize("gone", [(), (1, 2), (4, 5, 6), (10,), (2, 3, 4, 5, 6, 7, 8, 9)])
async def test_a_time_is_found_among_the_events_also_where_some_are_pruned(
    ledger: Ledger, gone: tuple[int, ...]
) -> None:
    for number in range(1, 11):
        await write(ledger, 100.0 * number, str(number))
    await ledger.write(
        lambda connection: connection.executemany("DELETE FROM events WHERE id = ?", [(n,) for n in gone])
    )
    for at in range(50, 1200, 50):
        kept = [one.text for one in await events.after(ledger, await events.before(ledger, float(at)), 100)]
        assert kept == [str(n) for n in range(1, 11) if n not in gone and 100 * n >= at], at
