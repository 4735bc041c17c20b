"""What the inboxes stood on when they were last well, against what they stand on now."""

from collections.abc import Collection

import structlog

from faceswapd.core.footing import Footing, doubt, unchanged
from faceswapd.ledger import footings as kept
from faceswapd.ledger import reports
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.ground import Ground
from faceswapd.settings import InboxSettings

log = structlog.get_logger(__name__)


class Footings:
    """Of all inboxes; the ledger keeps them over a restart."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[Footing, ...]] = {}  # by the inbox's path
        self._given_up: set[str] = set()  # names of inboxes whose missing files are to be let go

    async def load(self) -> None:
        """What the life before this one knew."""
        self._known = await kept.known(self._ledger)

    def give_up(self, inbox: str) -> None:
        """Somebody says that what is mounted now is right: what is missing is gone."""
        self._given_up.add(inbox)

    def unchanged(self, inbox: InboxSettings, ground: Ground) -> bool:
        """Whether all is mounted that was when the inbox was last well."""
        return unchanged(self._known.get(str(inbox.path), ()), ground.footings)

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
        if before:
            log.info("the inbox lies on other file systems than before", inbox=inbox.name)
        self._known[path] = ground.footings
        await kept.keep(self._ledger, path, ground.footings)
        return None
