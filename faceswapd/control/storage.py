"""The files that the API gives out and takes in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from faceswapd.control.contents import Contents
from faceswapd.control.thumbnails import Thumbnails
from faceswapd.settings import Settings


@dataclass(frozen=True, slots=True)
class Storage:
    """Where they lie."""

    settings: Settings
    thumbnails: Thumbnails
    contents: Contents = field(default_factory=Contents)

    @property
    def roots(self) -> Iterator[Path]:
        """The folders of which the files of jobs are given out."""
        yield self.settings.outbox
        yield from (inbox.path for inbox in self.settings.inbox)
        yield self.settings.done
        yield self.settings.uploads_folder
