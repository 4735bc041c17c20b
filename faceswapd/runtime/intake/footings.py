"""What the inboxes and the faces folder stood on when they were last well, against what they stand on now."""

from collections.abc import Collection
from pathlib import Path

import structlog

from faceswapd.core.footing import Footing, doubt, replaced, unchanged
from faceswapd.ledger import footings as kept
from faceswapd.ledger import reports, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.intake.ground import Ground, is_mounted
from faceswapd.settings import InboxSettings

log = structlog.get_logger(__name__)


class Footings:
    """Of all folders; the ledger keeps them over a restart."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[Footing, ...]] = {}  # by the folder's path
        self._given_up: set[str] = set()  # names of inboxes whose missing files are to be let go

    async def load(self) -> None:
        """What the life before this one knew."""
        self._known = await kept.known(self._ledger)

    def give_up(self, inbox: str) -> None:
        """Somebody says that what is mounted now is right: what is missing is gone."""
        self._given_up.add(inbox)

    def unchanged(self, folder: Path, ground: Ground) -> bool:
        """Whether all is mounted that was when a folder was last well."""
        return unchanged(self._known.get(str(folder), ()), ground.footings)

    def mounted(self, folder: Path) -> bool:
        """Whether anything is mounted where a folder's disk was: if not, it is not to be made anew."""
        return all(is_mounted(one) for one in self._known.get(str(folder), ())[:1])

    async def doubt(self, inbox: InboxSettings, ground: Ground, here: Collection[str]) -> str | None:
        """Why files that are missing are not taken for removed; None: all is well, and is kept as such.

        `here` are the paths of the files that are there.
        """
        path = str(inbox.path)
        before = self._known.get(path, ())
        given_up = inbox.name in self._given_up
        self._given_up.discard(inbox.name)
        if before == ground.footings:
            return None
        if not (given_up or unchanged(before, ground.footings)):
            why = doubt(before, ground.footings, await reports.unfinished_targets(self._ledger, inbox.name), here)
            if why is not None:
                return (
                    f"{why}. They are waited for; if they are not to come back, let them go with "
                    f"`faceswapctl resume {inbox.name}`"
                )
        await self._keep(path, ground)
        return None

    async def doubt_faces(self, folder: Path, ground: Ground, *, empty: bool) -> str | None:
        """Why the faces that were there are not taken for removed; None: all is well, and is kept as such."""
        before = self._known.get(str(folder), ())
        if before == ground.footings:
            return None
        if empty and any(face.photos for face in await standing.faces(self._ledger)):
            why = replaced(before, ground.footings)
            if why is not None:
                return f"holds no photos: {why}"
        await self._keep(str(folder), ground)
        return None

    async def _keep(self, folder: str, ground: Ground) -> None:
        if folder in self._known:
            log.info("a folder lies on other file systems than before", folder=folder)
        self._known[folder] = ground.footings
        await kept.stand_on(self._ledger, folder, ground.footings)
