"""One installation of FaceFusion, as the engines of all slots share it: probed, its devices tried, its models whole."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faceswapd.core.engine_options import check
from faceswapd.core.failures import Failure, usual
from faceswapd.core.ladder import RUNGS
from faceswapd.core.preflight import Weakness
from faceswapd.core.presets import PresetSpec
from faceswapd.engines.engine import DOWNLOADING, EngineFailure, Progress, Report, Work
from faceswapd.engines.facefusion.batch import JobFile
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.model_store import ModelStore, StoreRefused
from faceswapd.engines.facefusion.options import Chosen, Device, OptionRefused, always_on_disk, options_for
from faceswapd.engines.facefusion.persons import others
from faceswapd.engines.facefusion.probe import ProbeError, probe
from faceswapd.engines.facefusion.providers import ProviderReport, devices_of, really_runs
from faceswapd.engines.facefusion.runner import Stamp
from faceswapd.engines.facefusion.step import template

LOOK_SECONDS: Final = 2.0  # between two looks at whether the installation has changed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the configuration says of FaceFusion; None: as it is found."""

    root: Path | None
    python: Path | None
    presets: tuple[PresetSpec, ...]
    problem: str | None = None  # why the folder cannot be used, as far as can be told without running anything
    providers: tuple[str, ...] | None = None
    device_ids: tuple[int, ...] | None = None
    threads: int | None = None
    memory: str | None = None
    downloads: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """What one work is for FaceFusion."""

    installation: Installation
    chosen: Chosen
    proved: tuple[Stamp, ...] = field(default=())  # its models and their hashes, as they looked when they were compared

    def command_line(self, work: Work, part: Path, scratch: Path, own: Sequence[str] = ()) -> tuple[str, ...]:
        """The arguments of the one-shot command, with folders of its own; `own` arguments win."""
        folders = ["--jobs-path", str(scratch / "jobs")]
        if self.installation.knows("--temp-path"):
            folders += ["--temp-path", str(scratch / "temp")]
        return (
            self.installation.one_shot,
            *folders,
            *("-s", *map(str, work.sources)),
            *("-t", str(work.target)),
            *("-o", str(part)),
            *self.chosen.step,
            *own,
            *self.chosen.process,
        )


def _stamps(paths: Sequence[Path]) -> tuple[Stamp, ...]:
    found = []
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append(Stamp(path, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


class Site:
    """Shared by all slots. It looks again whenever the installation's files have changed."""

    def __init__(self, wanted: Wanted, folder: Path) -> None:
        """`folder` is a private one, for what is remembered of the installation."""
        self._wanted = wanted
        self._folder = folder
        self._installation: Installation | None = None
        self._looked = 0.0
        self._looking = asyncio.Lock()
        self._whole: dict[tuple[str, ...], tuple[Stamp, ...]] = {}  # by arguments, the models that were proved
        self._reports: tuple[ProviderReport, ...] = ()
        self._devices: tuple[Device, ...] = ()
        # What a person asks for is fetched whatever `downloads` says, which is about what happens by itself.
        self.models = ModelStore(lambda: self._installation, self._preset_arguments, folder)

    @property
    def devices(self) -> tuple[Device, ...]:
        """Where it runs; one at least."""
        return self._devices or (Device("cpu", ("cpu",)),)

    @property
    def weaknesses(self) -> frozenset[Weakness]:
        """What this version damages in a target without a word."""
        known = self._installation
        return frozenset(Weakness) - ({Weakness.HDR} if known is not None and known.version >= (3, 8, 0) else set())

    @property
    def keeps_frames(self) -> bool:
        """Whether this version keeps every frame of a video in memory, for ever."""
        return self._installation is not None and self._installation.version == (3, 8, 0)

    @property
    def frames_on_disk(self) -> bool:
        """Whether this version is always driven with the frames of a video on disk."""
        return self._installation is None or always_on_disk(self._installation)

    @property
    def credit(self) -> str:
        """Its name and version."""
        return "FaceFusion" if self._installation is None else f"FaceFusion {self._installation.label}"

    @property
    def about(self) -> str:
        """What swaps and where it lies, in one sentence."""
        if self._installation is None:
            return "FaceFusion is asked for, and cannot be used yet."
        where = ", ".join(device.name for device in self.devices)
        return f"{self.credit} in {self._installation.root}, on {where}."

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know: execution providers that should do the work, and do not run."""
        wanted = self._wanted.providers
        slow = self._installation is not None and not self.devices[0].is_card
        return tuple(
            f"{report.problem} {report.advice or ''}".strip()
            for report in self._reports
            if report.problem is not None and (slow if wanted is None else report.name in wanted)
        )

    @property
    def reports(self) -> tuple[ProviderReport, ...]:
        """How each execution provider did when it was tried."""
        return self._reports

    def problems_of(self, options: Sequence[tuple[str, str]]) -> list[str]:
        """What is wrong with single options, in sentences; as far as it is known what the installation takes."""
        return check(options, {} if self._installation is None else self._installation.choices)

    async def survey(self) -> Installation:
        """Look at everything. Raises EngineFailure where the installation cannot be used."""
        async with self._looking:
            return await self._survey()

    async def installation(self) -> Installation:
        """The installation as it is now. Raises EngineFailure."""
        async with self._looking:
            if self._installation is not None and time.monotonic() - self._looked < LOOK_SECONDS:
                return self._installation
            return await self._survey()

    async def order(self, work: Work, device: Device, report: Report) -> Order:
        """What to ask of FaceFusion for a work, with everything there that it needs. Raises EngineFailure."""
        installation = await self.installation()
        try:
            chosen = options_for(
                work.preset,
                installation,
                device,
                work.rung,
                work.options if work.person is None else others(work.options),
                threads=self._wanted.threads,
                memory=self._wanted.memory,
                suffix=work.target.suffix,
            )
        except OptionRefused as error:
            raise EngineFailure(Failure("option_unknown", str(error))) from error
        return Order(installation, chosen, await self._models_whole(chosen, work, report))

    async def job_file(self, order: Order, work: Work, part: Path, own: Sequence[str]) -> JobFile:
        """The same, as a job file. Raises EngineFailure."""
        try:
            made = await template(order.installation, order.chosen, self._folder)
        except ProbeError as error:
            raise EngineFailure(error.failure) from error
        folder = work.output.parent.parent  # a batch outlives the scratch folder of each single work
        return JobFile(made.job(work.sources, work.target, part, own), order.chosen.process, folder)

    async def _survey(self) -> Installation:
        root, python = self._wanted.root, self._wanted.python
        if root is None:
            raise EngineFailure(usual("engine_missing"))
        if python is None:
            problem = self._wanted.problem
            raise EngineFailure(usual("engine_python") if problem is None else Failure("engine_missing", problem))
        try:
            found = await probe(root, python, self._folder / "installation.json")
        except ProbeError as error:
            self._installation = None
            raise EngineFailure(error.failure) from error
        if not found.unaltered:
            self._installation = None
            raise EngineFailure(usual("engine_altered"))
        if found != self._installation:
            self._reports = await really_runs(found, self._folder / "providers.json")
            self._devices = await devices_of(
                found, self._reports, providers=self._wanted.providers, device_ids=self._wanted.device_ids
            )
            self._installation = found
            self._whole.clear()
        self._looked = time.monotonic()
        return found

    async def _models_whole(self, chosen: Chosen, work: Work, report: Report) -> tuple[Stamp, ...]:
        """No child starts before the models of its job are whole; returns how they look."""
        arguments = (*chosen.step, *chosen.process)
        seen = self._whole.get(arguments)
        if seen is not None and await asyncio.to_thread(_stamps, [stamp.path for stamp in seen]) == seen:
            return seen  # as they were when they were proved
        try:
            lack = await self.models.lack_for(arguments)
            if lack is not None and self._wanted.downloads:
                lack = await self.models.fetch_for(
                    arguments, lambda how_far: report(Progress(DOWNLOADING, 0, work.facts.frames, how_far.done))
                )
            if lack is not None:
                raise EngineFailure(lack)
            states = await self.models.states_for(arguments)
        except StoreRefused as error:
            raise EngineFailure(Failure("model_missing", str(error))) from error
        paths = [path for state in states for path in (state.file.path, state.file.hash_path)]
        self._whole[arguments] = await asyncio.to_thread(_stamps, paths)
        return self._whole[arguments]

    def _preset_arguments(self, installation: Installation) -> Mapping[str, Sequence[str]]:
        """What each preset asks for, on the first device."""
        found = {}
        for preset in self._wanted.presets:
            try:
                chosen = options_for(preset.base, installation, self.devices[0], RUNGS[0], preset.options)
            except OptionRefused:
                continue  # told where the preset is used, and by `check`
            found[preset.name] = (*chosen.step, *chosen.process)
        return found
