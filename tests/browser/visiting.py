"""A real browser at the dashboard of a real daemon. Whatever the page does that it must not do is kept, and told."""

import asyncio
import re
import secrets
import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.acceptance.farm import Farm

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
)
SECONDS = 15.0
LIVE = "#connection[data-state=live], #connection[data-state=polling]"
MISSING = (
    "Failed to load resource"  # a picture that is gone, or a daemon that is: the browser says so of its own accord
)


def browser_path() -> str | None:
    """The browser of this machine."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def another(content: bytes, suffix: str) -> bytes:
    """The same pictures as other content: bytes after the end of a PNG, or a box of an MP4 that nobody reads."""
    mark = secrets.token_bytes(16)
    return content + (struct.pack(">I4s", 24, b"free") + mark if suffix == ".mp4" else mark)


@dataclass
class Visit:
    """One page in a browser of its own cookies. `page` is Playwright's."""

    page: Any
    farm: Farm
    url: str
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Keep what must not be: errors, broken rules, requests to anybody else."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(MISSING):
            self.wrong.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.url + "/", f"blob:{self.url}/")):
            self.wrong.append(f"a request to {request.url}")

    def _response(self, response: Any) -> None:
        if response.status >= 500:
            self.wrong.append(f"{response.status} of {response.url}")

    def link(self) -> str:
        """A new one that opens once."""
        told = self.farm.ctl("open", "--print")
        found = re.search(r"http://\S+", told)
        assert found is not None, told
        assert urlsplit(found[0]).netloc == urlsplit(self.url).netloc
        return found[0]

    async def go(self, place: str) -> None:
        """To a part of the page, as its address has it."""
        await self.page.evaluate("place => { location.hash = place; }", place)

    def row(self, target: Path) -> Any:
        """A target's row in the list."""
        return self.page.locator("#jobs > li.job").filter(
            has=self.page.get_by_role("link", name=target.name, exact=True)
        )

    async def toast(self, words: str) -> None:
        """Wait for a message that says so."""
        await self.page.locator(".toast").filter(has_text=words).first.wait_for()

    async def settled(self, script: str, what: str) -> None:
        """Wait until a script is true in the page, whose policy forbids to look at it from within."""
        try:
            async with asyncio.timeout(SECONDS):
                while not await self.page.evaluate(script):  # noqa: ASYNC110  nothing tells when
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise AssertionError(f"never: {what}") from error

    def drop(self, file: Path, *place: str) -> Path:
        """A copy of a file in the inbox, with content of its own: the same content would be the same job."""
        target = self.farm.inbox.joinpath(*place)
        target.write_bytes(another(file.read_bytes(), file.suffix))
        return target
