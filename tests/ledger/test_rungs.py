from faceswapd.core.failures import Failure
from faceswapd.core.retry import TryAgain
from faceswapd.ledger import claims, outcomes, reports, rungs
from faceswapd.ledger.connection import Ledger
from faceswapd.ledger.rungs import KEPT_SECONDS, Size
from tests.ledger.arrivals import NOW, RUNNER, admit, arrival, ran

SIZE = Size("GPU 0", "best", "1080p")


async def test_what_is_not_known_starts_at_the_foot(ledger: Ledger) -> None:
    assert await rungs.known(ledger, SIZE, NOW) == 0


async def test_the_last_rung_that_worked_is_remembered_for_its_own_sort_alone(ledger: Ledger) -> None:
    await rungs.keep(ledger, SIZE, 2, NOW)
    await rungs.keep(ledger, SIZE, 1, NOW + 5)
    assert await rungs.known(ledger, SIZE, NOW + 6) == 1
    for other in (Size("GPU 1", "best", "1080p"), Size("GPU 0", "fast", "1080p"), Size("GPU 0", "best", "4K")):
        assert await rungs.known(ledger, other, NOW + 6) == 0


async def test_a_rung_is_forgotten_although_it_goes_on_working(ledger: Ledger) -> None:
    """Else a machine that was too small once would be slow for ever."""
    for day in range(7):
        await rungs.keep(ledger, SIZE, 2, NOW + day * 86400)
    assert await rungs.known(ledger, SIZE, NOW + KEPT_SECONDS - 1) == 2
    assert await rungs.known(ledger, SIZE, NOW + KEPT_SECONDS) == 0


async def test_a_retry_on_a_higher_rung_says_so_and_a_further_one_keeps_it(ledger: Ledger) -> None:
    (job,) = await admit(ledger, arrival())
    (ready,) = (await claims.queue(ledger, (), 1)).ready
    for number, verdict in enumerate((TryAgain(0, spends_attempt=False, rung=1), TryAgain(0, spends_attempt=True))):
        claim = await claims.claim(ledger, ready.segment, RUNNER, NOW)
        assert claim.job.rung == number
        await outcomes.failed(ledger, ran(claim), Failure("gpu_oom", "The GPU is full."), verdict, NOW)
    record = await reports.job(ledger, job)
    assert record is not None
    assert record.rung == 1
    texts = [event.text for event in await reports.events_of(ledger, job, 10)]
    assert "The GPU is full. Again with strict memory and half the threads." in texts
