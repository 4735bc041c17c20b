"""The models of all presets that are set up: which there are, which lack, and one download at a time.

The store owns no task of its own: `run` is one of the daemon's loops, and `pull` only wakes it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceswapd.children.shield import beating
from faceswapd.core.failures import Failure
from faceswapd.engines.facefusion import models, pulling
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.licences import Licence, licence_of, notice
from faceswapd.engines.facefusion.models import Condition, ModelFile, ModelState, ModelsUnknown
from faceswapd.engines.facefusion.pulling import Patience, PullFailure, Pulling

BEAT_SECONDS = 2.5  # it shows that it lives at least this often


class StoreRefused(Exception):
    """What was asked cannot be done now; the text says why, `advice` what to do."""

    def __init__(self, sentence: str, advice: str | None = None) -> None:
        super().__init__(sentence)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model, and who needs it."""

    state: ModelState
    presets: tuple[str, ...]
    licence: Licence


@dataclass(frozen=True, slots=True)
class Inventory:
    """All models that the presets need, as they are now."""

    lines: tuple[ModelLine, ...]
    folder: Path
    label: str  # the installation's version as it says it itself
    pulling: Pulling | None  # None: nothing is being fetched; without a name: it begins, or waits for another process
    failure: Failure | None  # why the last download ended, if it failed

    @property
    def whole(self) -> bool:
        """Whether nothing lacks."""
        return models.whole(line.state for line in self.lines)

    @property
    def sentence(self) -> str:
        """What lacks, or that nothing does."""
        return models.sentence_of([line.state for line in self.lines])

    @property
    def missing(self) -> int:
        """Bytes that lack, about; models of unknown size are not counted."""
        lacking = (line.state for line in self.lines if line.state.condition in (Condition.MISSING, Condition.CORRUPT))
        return sum(state.file.expected or 0 for state in lacking)

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences on what the models' licences forbid."""
        return notice(line.state.file.name for line in self.lines)


@dataclass(frozen=True, slots=True)
class Unneeded:
    """A file that no preset needs."""

    path: Path
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Pruned:
    """What no preset needs, and whether it was removed."""

    files: tuple[Unneeded, ...]
    removed: bool
    kept_apart: bool = False  # the models' folder is a link, so nothing of it is ours to remove


class ModelStore:
    """`installation` is asked each time, None means that no FaceFusion is set up; `presets` tells the arguments of each
    preset (those behind the one-shot command) for an installation; `folder` is a private one for what is remembered.
    With `offline` nothing is ever fetched. `changed` is called when a download has ended, well or not."""

    def __init__(
        self,
        installation: Callable[[], Installation | None],
        presets: Callable[[Installation], Mapping[str, Sequence[str]]],
        folder: Path,
        *,
        offline: bool = False,
        changed: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
    ) -> None:
        self._installation = installation
        self._presets = presets
        self._cache = folder
        self._memory = folder / "checksums.json"
        self._offline = offline
        self._changed = changed
        self._patience = patience
        self._wanted = asyncio.Event()
        self._asking = asyncio.Lock()  # FaceFusion is started once for each question
        self._checking = asyncio.Lock()  # and each model is read by one at a time
        self._pulling: Pulling | None = None
        self._failure: Failure | None = None

    @property
    def pulling(self) -> Pulling | None:
        """How far a download is; None where nothing is being fetched."""
        return self._pulling

    @property
    def failure(self) -> Failure | None:
        """Why the last download failed; None where it did not."""
        return self._failure

    async def run(self, beat: Callable[[], None] = lambda: None) -> None:
        """Fetch what lacks, each time that somebody has asked for it. Runs until it is cancelled, and calls `beat`
        all the while.

        It begins with a look at all models, so that the first job waits for no question and no checksum.
        """
        with contextlib.suppress(StoreRefused):
            await beating(self.list(), beat, BEAT_SECONDS)
        while True:
            while not self._wanted.is_set():
                beat()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), BEAT_SECONDS)
            self._wanted.clear()
            try:
                await beating(self._fetch(), beat, BEAT_SECONDS)  # which gives up by itself when nothing arrives
            finally:
                self._pulling = None
            self._changed()

    async def states_for(self, arguments: Sequence[str]) -> tuple[ModelState, ...]:
        """How the models stand that these arguments need. Raises StoreRefused."""
        installation = self._demand()
        return await self._check(await self._needs(installation, arguments))

    async def lack_for(self, arguments: Sequence[str]) -> Failure | None:
        """Why these arguments cannot be run yet; None when all their models are there and right. Raises as above."""
        states = await self.states_for(arguments)
        if models.whole(states):
            return None
        corrupt = any(state.condition is Condition.CORRUPT for state in states)
        return Failure("model_corrupt" if corrupt else "model_missing", models.sentence_of(states))

    async def fetch_for(self, arguments: Sequence[str], report: Callable[[Pulling], None]) -> Failure | None:
        """Fetch what these arguments lack, and nothing else. Why it could not be done, or None. A second caller waits
        for the first, and then finds the files there. Raises StoreRefused."""
        installation = self._demand()
        try:
            await pulling.pull(
                await self._needs(installation, arguments),
                models.folder_of(installation),
                self._memory,
                report,
                offline=self._offline,
                patience=self._patience,
            )
        except PullFailure as error:
            return error.failure
        return None

    async def list(self) -> Inventory:
        """All models. Raises StoreRefused."""
        installation = self._demand()
        needed = await self._needed(installation)
        states = await self._check(needed)
        return Inventory(
            lines=tuple(ModelLine(state, needed[state.file], licence_of(state.file.name)) for state in states),
            folder=models.folder_of(installation),
            label=installation.label,
            pulling=self._pulling,
            failure=self._failure,
        )

    async def pull(self) -> str:
        """Have what lacks fetched, and say in one sentence what happens. Raises StoreRefused."""
        inventory = await self.list()
        if self._pulling is not None:
            return "The models are being fetched already."
        if inventory.whole:
            return inventory.sentence
        if self._offline:
            lacking = models.lacking([line.state for line in inventory.lines])
            raise StoreRefused(inventory.sentence, pulling.offline_sentence(lacking))
        self.want()
        return f"{inventory.sentence} What lacks is being fetched."

    def want(self) -> None:
        """Have what lacks fetched. Returns at once."""
        self._failure = None
        self._pulling = self._pulling or Pulling("", 0, 0)
        self._wanted.set()

    async def verify(self) -> Inventory:
        """All models, each read anew. Raises StoreRefused."""
        models.forget(self._memory)
        return await self.list()

    async def prune(self, *, remove: bool) -> Pruned:
        """What no preset needs; with `remove` it is removed. Raises StoreRefused."""
        installation = self._demand()
        needed = await self._needed(installation)
        folder = models.folder_of(installation)
        if models.is_shared(folder):
            return Pruned((), removed=False, kept_apart=True)
        if not needed:  # then nothing is known, and all would go
            return Pruned((), removed=remove)
        if not remove:
            return Pruned(await asyncio.to_thread(_measured, models.unneeded(installation, needed)), removed=False)
        try:
            async with pulling.locked(folder, wait=False):
                files = await asyncio.to_thread(_measured, models.unneeded(installation, needed))
                await asyncio.to_thread(_remove, files)
        except BlockingIOError:
            raise StoreRefused("The models are being fetched right now.", "Try it again when that is done.") from None
        except OSError as error:
            raise StoreRefused(f"{error.filename} cannot be removed: {error.strerror}.") from error
        return Pruned(files, removed=True)

    async def _fetch(self) -> None:
        self._failure = None
        try:
            installation = self._demand()
            await pulling.pull(
                await self._needed(installation),
                models.folder_of(installation),
                self._memory,
                self._report,
                offline=self._offline,
                patience=self._patience,
            )
        except PullFailure as error:
            self._failure = error.failure
        except StoreRefused as error:
            self._failure = Failure("download_failed", str(error))

    def _report(self, how_far: Pulling) -> None:
        self._pulling = how_far

    def _demand(self) -> Installation:
        installation = self._installation()
        if installation is None:
            raise StoreRefused("No FaceFusion is set up, so there are no models.", "Run `faceswapd setup`.")
        return installation

    async def _needed(self, installation: Installation) -> dict[ModelFile, tuple[str, ...]]:
        """Each file with the presets that need it."""
        needed: dict[ModelFile, tuple[str, ...]] = {}
        by_path: dict[Path, ModelFile] = {}
        for preset, arguments in self._presets(installation).items():
            for file in await self._needs(installation, arguments):
                first = by_path.setdefault(file.path, file)
                needed[first] = (*needed.get(first, ()), preset)
        return needed

    async def _needs(self, installation: Installation, arguments: Sequence[str]) -> tuple[ModelFile, ...]:
        try:
            async with self._asking:
                return await models.needs(installation, arguments, self._cache)
        except ModelsUnknown as error:
            raise StoreRefused(error.failure.sentence, "Run `faceswapd check`.") from error

    async def _check(self, files: Mapping[ModelFile, object] | Sequence[ModelFile]) -> tuple[ModelState, ...]:
        async with self._checking:
            return await models.check(files, self._memory)


def _measured(paths: Sequence[Path]) -> tuple[Unneeded, ...]:
    return tuple(Unneeded(path, path.lstat().st_size) for path in paths)


def _remove(files: Sequence[Unneeded]) -> None:
    for file in files:
        file.path.unlink(missing_ok=True)
