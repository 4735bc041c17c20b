"""The files that the API gives out and takes in."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faceswapd.control.files.contents import Contents
from faceswapd.control.files.thumbnails import Thumbnails
from faceswapd.settings import Settings

MOST_AT_ONCE: Final = 16  # forms with files that are received


@dataclass(frozen=True, slots=True)
class Storage:
    """Where they lie."""

    settings: Settings
    thumbnails: Thumbnails
    contents: Contents = field(default_factory=Contents)
    receiving: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_AT_ONCE))

    sending: set[str] = field(default_factory=set)  # the uploads of which a part is coming now

    @property
    def roots(self) -> Iterator[Path]:
        """The folders of which the files of jobs are given out."""
        yield self.settings.outbox
        yield from (inbox.path for inbox in self.settings.inbox)
        yield self.settings.done
        yield self.settings.uploads_folder
