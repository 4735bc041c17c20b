"""Which engine swaps, and on which devices: the slots of this life of the daemon."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import psutil
import structlog

from faceswapd.children.control_group import Groups
from faceswapd.engines.engine import EngineFailure
from faceswapd.engines.facefusion import find
from faceswapd.engines.facefusion.engine import FaceFusionEngine, Level
from faceswapd.engines.facefusion.site import Site, Wanted
from faceswapd.engines.preview.engine import PreviewEngine
from faceswapd.runtime.jobs.course import Slot
from faceswapd.settings import Settings

SURVEY_SECONDS = 60.0  # a first look takes about ten, later ones none
CACHE = "facefusion"  # in the state folder: what is remembered of the installation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fleet:
    """The slots, and why their engine is the one it is."""

    slots: tuple[Slot, ...]
    why: str
    site: Site | None = None  # FaceFusion, where it swaps
    problems: tuple[str, ...] = ()  # options of the configuration that the installation does not take, in sentences

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a user should know of the engines at the moment, each sentence once."""
        told = [] if self.site is None else list(self.site.remarks)
        told += [remark for slot in self.slots for remark in slot.engine.remarks]
        return tuple(dict.fromkeys(told))


async def chosen_fleet(settings: Settings, cgroup: Path | None = None) -> Fleet:
    """Choose. With `auto`, FaceFusion where one is found and whole, else the preview engine. Once FaceFusion is named,
    a broken installation holds the queue with its reason: the preview engine never stands in without a word.
    `cgroup` is the control group that was left to the daemon, for its children."""
    engine = settings.engine
    if engine.name == "preview":
        return _preview(settings, cgroup, "It is built in; the configuration asks for it.")
    named = engine.name == "facefusion" or engine.facefusion.root is not None
    wanted = wanted_of(settings)
    if wanted.root is None and not named:
        return _preview(settings, cgroup, "It is built in; no FaceFusion was found. `faceswapd setup` brings one.")
    site = Site(wanted, settings.state / CACHE)
    why = await _survey(site)
    if why is not None:
        if not named:
            return _preview(settings, cgroup, f"It is built in; a FaceFusion was found, but: {why}")
        log.warning("FaceFusion cannot be used", why=why)
    return _facefusion(settings, cgroup, site)


async def _survey(site: Site) -> str | None:
    """Why it cannot be used; None: it can. A service must not start for minutes: one that hangs is looked at again
    when the first job wants it."""
    try:
        async with asyncio.timeout(SURVEY_SECONDS):
            await site.survey()
    except EngineFailure as error:
        return error.failure.sentence
    except TimeoutError:
        return f"it did not answer within {SURVEY_SECONDS:.0f} seconds."
    return None


def wanted_of(settings: Settings) -> Wanted:
    """What the configuration says of FaceFusion, and where it is found if nothing says it."""
    own, home, environ = settings.engine.facefusion, Path.home(), os.environ
    place = find.find(settings.faces.parent, home, environ) if own.root is None else find.place(own.root, home, environ)
    return Wanted(
        root=own.root or (None if place is None else place.root),
        python=own.python or (None if place is None else place.python),
        presets=tuple(spec for name in settings.preset_names() if (spec := settings.preset_spec(name)) is not None),
        problem=None if place is None else place.problem,
        providers=own.providers,
        device_ids=own.device_ids,
        threads=own.threads,
        memory=own.memory,
        downloads=own.downloads,
    )


def _facefusion(settings: Settings, cgroup: Path | None, site: Site) -> Fleet:
    level, devices = Level(settings.engine.facefusion.level), site.devices
    count = settings.engine.slots or len(devices)
    groups = groups_of(settings, cgroup, count)
    slots = tuple(
        Slot(place + 1, devices[place % len(devices)].name, FaceFusionEngine(site, place, level, groups=groups))
        for place in range(count)
    )
    return Fleet(slots, site.about, site, tuple(_problems(settings, site)))


def groups_of(settings: Settings, cgroup: Path | None, slots: int) -> Groups | None:
    """Where the children of the slots are held, each with its share of the memory; None where there is no place."""
    if cgroup is None:
        return None
    share = (psutil.virtual_memory().total - int(settings.limits.memory_free)) // slots
    wanted = settings.engine.memory_max
    return Groups.taken(cgroup, (share if share > 0 else None) if wanted is None else int(wanted))


def _problems(settings: Settings, site: Site) -> list[str]:
    """Single options that this installation does not take."""
    named = [(f"[[preset]] {preset.name}", preset.options) for preset in settings.preset]
    named += [(f"[[inbox]] {inbox.name}", inbox.options) for inbox in settings.inbox]
    return [f"{where}: {problem}" for where, options in named for problem in site.problems_of(tuple(options.items()))]


def _preview(settings: Settings, cgroup: Path | None, why: str) -> Fleet:
    groups = groups_of(settings, cgroup, settings.engine.slot_count)
    slots = tuple(
        Slot(number, "CPU", PreviewEngine(groups=groups)) for number in range(1, settings.engine.slot_count + 1)
    )
    return Fleet(slots, why)
