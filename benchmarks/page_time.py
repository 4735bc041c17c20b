"""The dashboard, as a person waits for it: until something is drawn, and until the jobs are, with a full ledger behind
the daemon. Each visit begins with an empty cache."""

import asyncio
import importlib.util
import shutil
import socket
import statistics
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.figure import Figure, milliseconds
from benchmarks.filled_ledger import INBOX, fill
from benchmarks.real_daemon import own_folder, running
from faceswapd.cli.place import CONFIG
from faceswapd.control.wire.login_messages import Link
from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger

JOBS = 10_000
RUNS = 10
PAINT_LIMIT, JOBS_LIMIT = 0.5, 1.0  # seconds
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"
SHOWN: Final = "performance.now() / 1000"


def measure() -> list[Figure]:
    """The medians of ten visits."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None or importlib.util.find_spec("playwright") is None:
        return [Figure("dashboard", "NOT MEASURED: no browser, or no Playwright (make test-browser)", "", met=True)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with own_folder() as folder:
        with (folder / CONFIG).open("a", encoding="utf-8") as config:
            config.write(f"\n[http]\nenabled = true\nport = {port}\n")
        ledger = folder / "state" / "ledger.sqlite3"
        ledger.parent.mkdir(mode=0o700)
        fill(ledger, JOBS)
        asyncio.run(_pause(ledger))
        with running(folder) as daemon:
            link = daemon.client.post(Link, "/api/login-links", {})
            assert isinstance(link, Link), link
            visits = _visits(path, link.url, f"http://127.0.0.1:{port}/")
    painted, shown = (statistics.median(column) for column in zip(*visits, strict=True))
    return [
        Figure("dashboard, first contentful paint", milliseconds(painted), "< 500 ms", painted < PAINT_LIMIT),
        Figure(f"dashboard, jobs of {JOBS:,} shown", milliseconds(shown), "< 1000 ms", shown < JOBS_LIMIT),
    ]


def _visits(path: str, link: str, url: str) -> list[tuple[float, float]]:
    """Of each visit the seconds until something was drawn, and until there was a job."""
    driver: Any = importlib.import_module("playwright.sync_api")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(link)
        page.wait_for_url(url + "**")
        kept = page.context.storage_state()
        found = []
        for _ in range(RUNS):
            context = browser.new_context(storage_state=kept)
            page = context.new_page()
            page.goto(url, wait_until="commit")
            page.locator("#jobs > li").first.wait_for()
            found.append((page.evaluate(PAINTED), page.evaluate(SHOWN)))
            context.close()
        browser.close()
    return found


async def _pause(path: Path) -> None:
    """Nothing of what is queued starts: its targets are not there."""
    ledger = await Ledger.open(path)
    try:
        await standing.pause(ledger, INBOX, time.time())
    finally:
        await ledger.close()
