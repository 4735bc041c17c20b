"""The setup's part about FaceFusion itself: found or installed, then asked what it can."""

import asyncio
import os
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from faceswapd.cli.asking import Asker, Unanswered
from faceswapd.cli.doctor_machine import PROGRAMS, install_command
from faceswapd.cli.setup_failure import SetupFailed
from faceswapd.engines.engine import EngineFailure
from faceswapd.engines.facefusion import find, installing
from faceswapd.engines.facefusion.find import Place as Candidate
from faceswapd.engines.facefusion.installing import InstallFailure, Plan
from faceswapd.engines.facefusion.site import Site
from faceswapd.runtime.jobs.fleet import CACHE, wanted_of
from faceswapd.settings import Settings

ROOM: Final = 3_000_000_000  # bytes that FaceFusion and what it requires take, about
CUDA_ROOM: Final = 9_000_000_000  # with the libraries of CUDA and cuDNN
LOG: Final = "setup.log"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line says of FaceFusion; None: nothing."""

    root: Path | None
    install: Path | None
    python: Path | None
    release: str
    runtime: str | None
    offline: bool
    dry: bool
    accepted: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where FaceFusion lies and what runs it."""

    root: Path
    python: Path


def find_or_install(choice: Choice, settings: Settings, asker: Asker, runner: asyncio.Runner) -> Place | None:
    """FaceFusion's place; None on a dry run that would have to install it. Raises SetupFailed and Unanswered."""
    own = settings.engine.facefusion
    if choice.root is not None:
        return _at(choice.root.expanduser().absolute(), choice)
    folder = choice.install
    if folder is None:
        if own.root is not None and installing.is_source(own.root):
            return _at(own.root, choice, own.python)
        place = _pick(_found(settings, choice), asker)
        if place is not None:
            return place
        print("   None was found on this machine.")
        folder = _asked_for(choice, asker)
    return _install(folder.expanduser().absolute(), choice, settings, asker, runner)


def _asked_for(choice: Choice, asker: Asker) -> Path:
    """The folder to install into. Raises Unanswered."""
    usual = Path.home() / "facefusion"
    if choice.dry and not asker.terminal:
        return usual
    flag = "--install DIR (or --root DIR, where one lies)"
    return asker.path(f"   FaceFusion {choice.release} can be installed. Into which folder?", usual, flag)


def _pick(places: Sequence[Place], asker: Asker) -> Place | None:
    """The one that was found, or that is chosen of several. Raises Unanswered."""
    if len(places) < 2:
        for place in places:
            print(f"   Found in {place.root}.")
        return next(iter(places), None)
    print("   Several were found:")
    said = [str(place.root) for place in places]
    try:
        return places[asker.choose("   Which one shall be used?", said, "--root DIR")]
    except Unanswered as error:
        raise Unanswered(f"{error} Found are: {', '.join(said)}.") from None


def _at(root: Path, choice: Choice, known: Path | None = None) -> Place:
    """The one that lies there. Raises SetupFailed."""
    wrong = find.problem_of(root)
    if wrong is not None:
        raise SetupFailed(wrong, "Name its folder with --root DIR.")
    python = choice.python.expanduser().absolute() if choice.python else known or _look_at(root).python
    if python is None:
        raise SetupFailed(f"The Python of the FaceFusion in {root} was not found.", "Name it with --python FILE.")
    if not python.exists():
        raise SetupFailed(f"There is no {python}.", "Name FaceFusion's own Python with --python FILE.")
    print(f"   {root} is used, with {python}.")
    return Place(root, python)


def _look_at(root: Path) -> Candidate:
    return find.place(root, Path.home(), os.environ)


def _install(folder: Path, choice: Choice, settings: Settings, asker: Asker, runner: asyncio.Runner) -> Place | None:
    if installing.taken(folder):
        raise SetupFailed(f"{folder} holds something else already.", "Choose another folder with --install DIR.")
    known = _look_at(folder).python
    if known is not None and _works(known, runner):
        print(f"   FaceFusion lies in {folder} already and is used as it is.")
        return Place(folder, known)
    plan = runner.run(_planned(folder, choice))
    source = not installing.is_source(folder)
    steps = [*([plan.clone] if source else []), plan.environment, plan.packages]
    print(f"   These commands install FaceFusion {choice.release} in {folder}, unchanged, with a Python of its own:")
    for step in steps:
        print(f"     $ {shlex.join(step)}")
    package, version = installing.RUNTIMES[plan.runtime]
    print(f"   with ONNX Runtime as {package} {version}, or as that release pins it.")
    _check_room(plan)
    if choice.dry:
        return None
    if choice.offline:
        raise SetupFailed("FaceFusion is not here, and nothing is fetched with --offline.", installing.by_hand(plan))
    if choice.install is None and not asker.agree("   Shall it be done?", "--install DIR"):
        raise SetupFailed("FaceFusion was not installed.", "The preview engine needs none: faceswapd run")
    if not (choice.accepted or asker.terminal):  # nobody waits for an installation to hear then that a flag is missing
        raise Unanswered(
            "FaceFusion's models have licences of their own, some for non-commercial use only. Nobody can be asked "
            "here whether you accept them: say it with --accept-licences."
        )
    log = settings.state / "logs" / LOG
    try:
        if source:
            print("   Fetching FaceFusion ...", flush=True)
            runner.run(installing.fetch_source(plan, log))
        print("   Making its own Python ...", flush=True)
        runner.run(installing.make_environment(plan, log))
        print("   Installing what it requires; this takes some minutes ...", flush=True)
        runner.run(installing.install_packages(plan, log))
    except InstallFailure as error:
        advice = f"Run the same command again: it goes on from there. Without a network: {installing.by_hand(plan)}"
        raise SetupFailed(str(error), advice, error.tail) from None
    print(f"   FaceFusion is installed in {folder}.")
    return Place(folder, plan.python)


async def _planned(folder: Path, choice: Choice) -> Plan:
    """What will be done. Raises SetupFailed."""
    oldest = installing.oldest_for(choice.release)
    needed = f"Python {oldest[0]}.{oldest[1]} or newer, with venv"
    if choice.python is not None:
        base = await installing.base_of(str(choice.python.expanduser()), oldest)
        if base is None:
            told = f"{choice.python} cannot make an environment for FaceFusion {choice.release}: it needs {needed}."
            raise SetupFailed(told, "Name another one with --python FILE.")
    else:
        base = next(iter(await installing.bases(oldest)), None)
        if base is None:
            told = f"No Python was found that can make an environment for FaceFusion {choice.release}: {needed}."
            raise SetupFailed(told, "Install one, e.g. `uv python install 3.12`, or name it with --python FILE.")
    runtime, why = await installing.fitting_runtime()
    if choice.runtime is not None:
        return Plan(folder, choice.release, base.path, choice.runtime)
    print(f"   {why}")
    return Plan(folder, choice.release, base.path, runtime)


def _works(python: Path, runner: asyncio.Runner) -> bool:
    """Whether an environment has what FaceFusion requires, so that nothing must be installed into it."""
    return runner.run(installing.has_packages(python))


def _check_room(plan: Plan) -> None:
    there = next(place for place in (plan.folder, *plan.folder.parents) if place.is_dir())
    needed, free = CUDA_ROOM if plan.runtime.startswith("cuda@") else ROOM, shutil.disk_usage(there).free
    if free < needed:
        told = f"FaceFusion needs about {needed / 1e9:.0f} GB in {plan.folder}, and {free / 1e9:.1f} GB are free."
        raise SetupFailed(told, "Make room, or choose another folder with --install DIR.")


def survey(place: Place, settings: Settings, runner: asyncio.Runner) -> Site:
    """Ask it what it is and can, and tell it. Raises SetupFailed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        packages = dict.fromkeys(install_command(name) for name in missing)
        told = f"{' and '.join(missing)} {verb} not installed, and FaceFusion needs {'it' if verb == 'is' else 'them'}."
        raise SetupFailed(told, f"Install first: {' && '.join(packages)}")
    # What lacks is fetched by the next step, which shows how far it is.
    wanted = replace(wanted_of(settings), root=place.root, python=place.python, problem=None, downloads=False)
    site = Site(wanted, settings.state / CACHE)
    print(f"   FaceFusion in {place.root} is asked, and each execution provider is tried ...", flush=True)
    try:
        installation = runner.run(site.survey())
    except EngineFailure as error:
        raise SetupFailed(error.failure.sentence, error.failure.advice) from None
    print(f"   It is FaceFusion {installation.label}, unaltered.")
    for sentence in _told(site):
        print(f"   {sentence}")
    return site


def _told(site: Site) -> Sequence[str]:
    running = [report for report in site.reports if report.runs]
    names = ", ".join(report.name for report in running) or "none"
    where = ", ".join(device.name for device in site.devices)
    return [f"Execution providers that truly run: {names}. Used: {where}.", *site.remarks]


def _found(settings: Settings, choice: Choice) -> list[Place]:
    """What lies about, near the configuration and at home. One that cannot be used is told."""
    places = []
    for one in find.candidates(settings.faces.parent, Path.home(), os.environ):
        python = choice.python.expanduser().absolute() if choice.python else one.python
        if python is not None and find.problem_of(one.root) is None:
            places.append(Place(one.root, python))
        else:
            print(f"   {one.problem}")
    return places
