"""One function a request about the ledger itself, and about all failed jobs at once."""

import difflib
import time
from pathlib import Path

from faceswapd.control.live import House
from faceswapd.control.refusal import Refused
from faceswapd.control.wire import job_messages, ledger_messages, messages
from faceswapd.core.failures import CATALOGUE
from faceswapd.ledger import backup as backing
from faceswapd.ledger import check as checking
from faceswapd.ledger import outcomes, reports

MEGABYTE = 1_000_000


async def backup(house: House, path: str) -> messages.Done:
    """POST /api/ledger/backup."""
    place = Path(path)
    if not place.is_absolute() or "\0" in path:
        raise Refused(400, "The path of a backup must be absolute.")
    try:
        size = await backing.backup(house.ledger, place)
    except backing.BackupRefused as error:
        raise Refused(409, str(error)) from error
    return messages.Done(f"The ledger is copied to {place} ({size / MEGABYTE:,.1f} MB).")


async def check(house: House) -> ledger_messages.LedgerCheck:
    """GET /api/ledger/check."""
    report = await checking.check(house.ledger)
    jobs = "1 job" if report.jobs == 1 else f"{report.jobs:,} jobs"
    about = f"The ledger, {jobs} in {report.size / MEGABYTE:,.1f} MB,"
    many = len(report.problems)
    text = f"{about} is whole, and its books balance."
    if many:
        text = f"{about} has {'a problem' if many == 1 else f'{many} problems'}."
    return ledger_messages.LedgerCheck(list(report.problems), report.jobs, report.size, text)


async def retry_failed(house: House, category: str | None) -> job_messages.Retried:
    """POST /api/retry."""
    failed = await reports.failed_categories(house.ledger)
    if category is not None and category not in CATALOGUE and category not in failed:
        near = difflib.get_close_matches(category, sorted(CATALOGUE), n=3, cutoff=0.4)
        advice = f"Did you mean {' or '.join(near)}?" if near else "docs/failures.md lists all of them."
        raise Refused(404, f"There is no category '{category[:60]}'.", advice)
    done = await outcomes.requeue_failed(house.ledger, category, time.time())
    house.orders.asked_again(done.jobs)
    queued, final = len(done.jobs), len(done.final)
    kind = "" if category is None else f" of the category {category}"
    if not queued and not final:
        there = ", ".join(f"{name} ({jobs})" for name, jobs in failed.items())
        return job_messages.Retried(0, 0, f"No job{kind} has failed." + (f" There are: {there}." if there else ""))
    said = [f"{_many(queued)}{kind} {'waits' if queued == 1 else 'wait'} again."] if queued else []
    if final:
        said.append(f"{_many(final)} {'was' if final == 1 else 'were'} left out: declined for good.")
    return job_messages.Retried(queued, final, " ".join(said))


def _many(jobs: int) -> str:
    return "1 failed job" if jobs == 1 else f"{jobs:,} failed jobs"
