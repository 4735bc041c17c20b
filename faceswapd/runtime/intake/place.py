"""One inbox, and what is known of it beyond the ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from faceswapd.core import intake
from faceswapd.runtime.intake.footings import Footings
from faceswapd.runtime.intake.ground import Ground, ground_of
from faceswapd.runtime.intake.listing import Found, Listing, Survey, survey
from faceswapd.runtime.intake.sidecars import Sidecars
from faceswapd.runtime.intake.watching import Watch
from faceswapd.runtime.lookout import Lookout
from faceswapd.settings import InboxSettings
from faceswapd.settings.schema import IntakeSettings

LISTING_SECONDS = 10.0  # a folder that takes longer to list holds up no other one; it is used when it has answered
GROUND_SECONDS = 3.0  # ... and for a single look at the folder itself
CANNOT_BE_WRITTEN = "It cannot be written: no folders for the faces and no texts beside the files are made there."


@dataclass(frozen=True, slots=True)
class Later:
    """A settled file that is asked about again at a moment, or as soon as anything about it has changed."""

    found: Found
    at: float  # on the monotonic clock
    sentence: str  # why
    refused: bool = False  # it is not on its way: somebody has to do something


@dataclass(slots=True)
class Place:
    """An inbox as it was at the last look."""

    settings: InboxSettings
    quiet: float  # seconds that a file must stay unchanged
    watch: Watch
    listing: Listing = field(default_factory=lambda: Listing("has not been looked at yet"))
    seen: dict[str, intake.Seen] = field(default_factory=dict)
    arriving: dict[str, str] = field(default_factory=dict)  # not complete yet, and why
    later: dict[str, Later] = field(default_factory=dict)  # settled, and left alone for now
    hangs: bool = False  # a file of it was asked about in this pass, and its disk did not answer
    bundles: frozenset[intake.Parts] = frozenset()
    anew: frozenset[str] = frozenset()  # files of which something else is asked than when they were taken
    read_only: bool = False
    suspect: bool = False  # it was seen to stand on something else, and has not been listed since
    sidecars: Sidecars = field(init=False)
    _lookout: Lookout[Survey] = field(init=False)
    _grounds: Lookout[Ground | None] = field(init=False)

    def __post_init__(self) -> None:
        self.sidecars = Sidecars(self.quiet)
        self._lookout = Lookout(lambda: survey(self.settings.path))
        self._grounds = Lookout(lambda: ground_of(self.settings.path))

    def leave(self, path: str, later: Later) -> None:
        """Leave a file alone until later, and say why."""
        self.later[path] = later
        self.tell(path, later)

    def tell(self, path: str, later: Later) -> None:
        """Say why a file is not taken now."""
        (self.listing.skipped if later.refused else self.arriving)[path] = later.sentence

    @classmethod
    def of(cls, inbox: InboxSettings, intake_settings: IntakeSettings, wake: Callable[[], None]) -> "Place":
        """The place of an inbox that is configured."""
        watch = Watch(inbox.path, inbox.watch_how, intake_settings.poll, wake)
        return cls(inbox, intake_settings.settle, watch)

    @property
    def away(self) -> bool:
        """Whether nobody knows now which files are there: what waits for them does not start."""
        return self.suspect or self.listing.problem is not None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know of it, in sentences."""
        return (CANNOT_BE_WRITTEN,) if self.read_only else ()

    async def look(self, footings: Footings) -> bool:
        """List it anew. False: it does not answer now, so that nothing is known of it."""
        try:
            seen = await self._lookout.within(LISTING_SECONDS)
        except TimeoutError:
            self.listing = replace(self.listing, problem=f"has not answered for {LISTING_SECONDS:.0f} seconds")
            self.later = {}
            self.watch.unanswered()
            return False
        self.watch.listed(seen.ground, seen.took)
        listing = seen.listing
        if listing.problem is None and seen.ground is not None:
            self.read_only = seen.ground.read_only
            listing = replace(listing, problem=await footings.doubt(self.settings, seen.ground, listing.files))
        self.listing, self.suspect = listing, False
        return True

    async def has_gone(self, footings: Footings) -> bool:
        """Whether it is away this moment, so that a file which is not there need not be gone."""
        if self.away:
            return True
        try:
            ground = await self._grounds.within(GROUND_SECONDS)
        except TimeoutError:
            ground = None
        self.suspect = ground is None or not footings.unchanged(self.settings.path, ground)
        return self.suspect
