"""The setup's part about models: what the presets need, under which licences, and the download."""

import asyncio
import shutil
import sys
import time
from collections.abc import Sequence
from typing import Final

from faceswapd.cli.asking import Asker
from faceswapd.cli.setup_failure import SetupFailed
from faceswapd.core.presets import DEFAULT_PRESET, PRESETS
from faceswapd.engines.facefusion import models, pulling
from faceswapd.engines.facefusion.licences import licence_of
from faceswapd.engines.facefusion.model_store import Inventory, ModelLine, StoreRefused
from faceswapd.engines.facefusion.models import Condition
from faceswapd.engines.facefusion.pulling import PullFailure, Pulling
from faceswapd.engines.facefusion.site import Site
from faceswapd.runtime.jobs.fleet import CACHE
from faceswapd.settings import Settings

BAR: Final = 30  # characters
MEMORY: Final = "checksums.json"  # in the site's folder, as the model store calls it
TOLD_SECONDS: Final = 10.0  # between two lines where no terminal shows a bar


def choose(
    wanted: tuple[str, ...] | None, settings: Settings, site: Site, asker: Asker, runner: asyncio.Runner
) -> tuple[str, ...]:
    """Which presets, the most used first. Raises SetupFailed and Unanswered."""
    used = tuple(dict.fromkeys(inbox.preset for inbox in settings.inbox)) or (DEFAULT_PRESET,)
    inventory = _inventory(site, runner)
    for name in wanted or settings.preset_names():
        about = PRESETS[name].about if name in PRESETS else "A preset of your own."
        print(f"   {name:<10} {about} {_weight(_lines(inventory, (name,)))}")
    return wanted or asker.words("   Whose models shall be fetched?", used, settings.preset_names(), "--presets")


def fetch(
    presets: Sequence[str],
    site: Site,
    settings: Settings,
    asker: Asker,
    runner: asyncio.Runner,
    *,
    accepted: bool,
    offline: bool,
    dry: bool,
) -> None:
    """Fetch what lacks, once the licences are accepted. Raises SetupFailed and Unanswered."""
    inventory = _inventory(site, runner)
    lines = _lines(inventory, presets)
    states = [line.state for line in lines]
    for line in lines:
        print(f"   {_row(line)}")
    if models.whole(states):
        print(f"   {models.sentence_of(states)}")
        return
    print(f"   {models.sentence_of(states)}")
    lacking = models.lacking(states)
    _check_room(inventory, sum(file.expected or 0 for file in lacking))
    if dry:
        print(f"   They would be fetched into {inventory.folder}.")
        return
    if offline:
        raise SetupFailed(
            "Nothing is fetched with --offline.", f"{pulling.offline_sentence(lacking)} Then run it again."
        )
    _accept(lines, asker, accepted=accepted)
    bar = _Bar()
    try:
        runner.run(
            pulling.pull(
                [line.state.file for line in lines],
                inventory.folder,
                settings.state / CACHE / MEMORY,
                bar.show,
            )
        )
    except PullFailure as error:
        bar.end()
        told = f"{error.failure.sentence} What has come is kept."
        raise SetupFailed(told, "Run the same command again: it goes on from there.") from None
    finally:
        bar.end()
    print(f"   All {len(lines)} models are there and right.")


def _inventory(site: Site, runner: asyncio.Runner) -> Inventory:
    try:
        return runner.run(site.models.list())
    except StoreRefused as error:
        raise SetupFailed(str(error), error.advice or "") from None


def _lines(inventory: Inventory, presets: Sequence[str]) -> list[ModelLine]:
    return [line for line in inventory.lines if set(line.presets) & set(presets)]


def _weight(lines: Sequence[ModelLine]) -> str:
    """As in `11 models, about 1.4 GB, 1.0 GB of it still to be fetched`."""
    if not lines:
        return "This FaceFusion cannot do it."
    size = sum(line.state.size or line.state.file.expected or 0 for line in lines)
    lacking = sum(line.state.file.expected or 0 for line in lines if line.state.condition is not Condition.PRESENT)
    left = f", {lacking / 1e9:.1f} GB of it still to be fetched" if lacking else ""
    return f"{len(lines)} models, about {size / 1e9:.1f} GB{left}."


def _row(line: ModelLine) -> str:
    file, licence = line.state.file, licence_of(line.state.file.name)
    size = line.state.size or file.expected
    told = f"{size / models.MEGABYTE:.0f} MB" if size else "size not known"
    restricted = {True: "  ! not for commercial use", None: "  ? licence not known"}.get(licence.non_commercial, "")
    return f"{line.state.condition.replace('_', ' '):<13} {file.name:<28} {told:>15}  {licence.name}{restricted}"


def _accept(lines: Sequence[ModelLine], asker: Asker, *, accepted: bool) -> None:
    restricted = [line for line in lines if licence_of(line.state.file.name).non_commercial is not False]
    if restricted:
        print(
            f"   {len(restricted)} of these {len(lines)} models may be used for research or in private only, or their"
        )
        print("   licence is not known; they are marked above. Nothing swaps without them.")
    print("   The content check of FaceFusion comes with them and stays on.")
    if accepted:
        print("   You accept the licences by --accept-licences.")
        return
    if not asker.agree("   Do you accept these licences?", "--accept-licences", by_yes=False):
        raise SetupFailed("The licences were not accepted, so nothing was fetched.", "The preview engine needs none.")


def _check_room(inventory: Inventory, needed: int) -> None:
    """Seeds of sizes, before the servers tell the true ones. Raises SetupFailed."""
    there = next(place for place in (inventory.folder, *inventory.folder.parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    if needed * pulling.MARGIN > free:
        told = f"The models need about {needed / 1e9:.1f} GB in {inventory.folder}, and {free / 1e9:.1f} GB are free."
        raise SetupFailed(told, "Make room, or choose fewer presets with --presets.")


class _Bar:
    """How far the download is: one line on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._redraws = sys.stdout.isatty()
        self._told = 0.0
        self._open = False

    def show(self, how_far: Pulling) -> None:
        """Draw it anew."""
        share = min(1.0, how_far.done / how_far.total) if how_far.total else 0.0
        told = f"{how_far.done / 1e6:7.0f} of {how_far.total / 1e6:.0f} MB  {how_far.name}"
        if self._redraws:
            filled = round(share * BAR)
            print(f"\r\x1b[K   [{'=' * filled}{' ' * (BAR - filled)}] {share:4.0%} {told}", end="", flush=True)
            self._open = True
        elif time.monotonic() - self._told >= TOLD_SECONDS:
            self._told = time.monotonic()
            print(f"   {share:4.0%} {told}", flush=True)

    def end(self) -> None:
        """Leave the line."""
        if self._open:
            print()
            self._open = False
