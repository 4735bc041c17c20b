"""`faceswapd setup`: from a machine without anything to a daemon that swaps with FaceFusion.

It asks little, each question has a flag, and the configuration is changed last, when all else is known to work.
"""

import argparse
import asyncio
import difflib
import shlex
import sys
from pathlib import Path
from typing import Any

from faceswapd.cli import config_edit, init, setup_engine, setup_models, trial
from faceswapd.cli.asking import WRONG_USAGE, Asker, Unanswered
from faceswapd.cli.place import CONFIG, add_config, default_config
from faceswapd.cli.setup_failure import SetupFailed
from faceswapd.engines.facefusion.installing import RELEASE, RUNTIMES
from faceswapd.engines.facefusion.site import Site
from faceswapd.settings import Settings, SettingsError, load


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "setup",
        help="set up FaceFusion, the engine for real work",
        description="Find FaceFusion or install it, fetch its models, try it with drawn faces, and enter it into the "
        "configuration. What is there already is not done again. Ends with 0 done, 1 it could not be done, "
        "2 a flag is missing and nobody can be asked.",
    )
    add_config(parser)
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--root", type=Path, metavar="DIR", help="use the FaceFusion that lies there")
    place.add_argument("--install", type=Path, metavar="DIR", help="install FaceFusion there, if it is not")
    parser.add_argument(
        "--python", type=Path, metavar="FILE", help="FaceFusion's Python; with --install, one to make it"
    )
    parser.add_argument("--release", default=RELEASE, help=f"which FaceFusion is installed (default: {RELEASE})")
    parser.add_argument("--onnxruntime", choices=sorted(RUNTIMES), help="which build is installed (default: what fits)")
    parser.add_argument(
        "--presets", metavar="NAMES", help="whose models are fetched, with commas between (default: those in use)"
    )
    parser.add_argument("--accept-licences", action="store_true", help="accept the licences of the models")
    parser.add_argument("--offline", action="store_true", help="fetch nothing; say what to place where")
    parser.add_argument("--no-test", action="store_true", help="do not try a swap")
    parser.add_argument("--yes", action="store_true", help="take the default of every question but the licences")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    asker = Asker(yes=arguments.yes)
    try:
        # One loop for all steps, ended by the first Ctrl-C together with every program that it started.
        with asyncio.Runner() as runner:
            _set_up(arguments, asker, runner)
    except Unanswered as error:
        print(error, file=sys.stderr)
        return WRONG_USAGE
    except SetupFailed as error:
        for line in error.tail:
            print(f"  | {line}", file=sys.stderr)
        print(f"{error} {error.advice}".strip(), file=sys.stderr)
        return 1
    except (KeyboardInterrupt, EOFError):
        print("\nStopped. What was fetched is kept: the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


def _set_up(arguments: argparse.Namespace, asker: Asker, runner: asyncio.Runner) -> None:
    config: Path = arguments.config.expanduser().absolute()
    settings = _settings(config, dry=arguments.dry_run)
    wanted = _presets(arguments.presets, settings)

    print("1  FaceFusion")
    chosen = setup_engine.Choice(
        root=arguments.root,
        install=arguments.install,
        python=arguments.python,
        release=arguments.release,
        runtime=arguments.onnxruntime,
        offline=arguments.offline,
        dry=arguments.dry_run,
        accepted=arguments.accept_licences,
    )
    place = setup_engine.find_or_install(chosen, settings, asker, runner)
    if place is None:
        print("\nThat is all that can be said before FaceFusion is there. Nothing was changed.")
        return
    print("\n2  What it can")
    site = setup_engine.survey(place, settings, runner)

    print("\n3  Models")
    presets = setup_models.choose(wanted, settings, site, asker, runner)
    setup_models.fetch(
        presets,
        site,
        settings,
        asker,
        runner,
        accepted=arguments.accept_licences,
        offline=arguments.offline,
        dry=arguments.dry_run,
    )

    print("\n4  A test swap")
    if arguments.no_test or arguments.dry_run:
        print("   It is left out." if arguments.no_test else "   One drawn face would be put into one drawn picture.")
    else:
        _try_out(presets[0], site, settings, runner)

    print("\n5  The configuration")
    _configure(config, place, dry=arguments.dry_run)
    _tell_next(config, settings, presets, dry=arguments.dry_run)


def _settings(config: Path, *, dry: bool) -> Settings:
    """The configuration, which is made where there is none yet. Raises SetupFailed."""
    try:
        if not config.exists() and config.name == CONFIG and not dry:
            init.make(config.parent)
            print(f"Made {config.parent} with its folders and {config}.")
        return load(config)
    except SettingsError as error:
        raise SetupFailed(str(error)) from None
    except OSError as error:
        raise SetupFailed(f"{error.filename} cannot be made: {error.strerror}.", "Choose another folder.") from None


def _presets(names: str | None, settings: Settings) -> tuple[str, ...] | None:
    """What --presets says; None where it says nothing. Raises Unanswered for one that does not exist."""
    if names is None:
        return None
    known, said = settings.preset_names(), tuple(dict.fromkeys(names.replace(",", " ").split()))
    unknown = [name for name in said if name not in known]
    if unknown or not said:
        raise Unanswered(f"There is no preset {(unknown or [''])[0]!r}. Known to --presets are: {', '.join(known)}.")
    return said


def _try_out(preset: str, site: Site, settings: Settings, runner: asyncio.Runner) -> None:
    spec = settings.preset_spec(preset)
    assert spec is not None
    print(f"   FaceFusion starts, and puts one drawn face into one drawn picture ({preset}) ...", flush=True)
    try:
        settings.scratch_folder.mkdir(parents=True, exist_ok=True)
        tried = runner.run(asyncio.wait_for(trial.try_out(site, spec, settings.scratch_folder), trial.SECONDS))
    except trial.TrialFailed as error:
        raise SetupFailed(f"The test swap failed: {error}", "The configuration was not changed.") from None
    except TimeoutError:
        told = f"The test swap had not ended after {trial.SECONDS / 60:.0f} minutes."
        raise SetupFailed(told, "Run `faceswapd doctor`. The configuration was not changed.") from None
    except OSError as error:
        told = f"The test swap has no room: {error.filename or settings.scratch_folder}: {error.strerror}."
        raise SetupFailed(told, "The configuration was not changed.") from None
    print(f"   It works: {tried.seconds:.0f} s with the start.")
    if tried.doubt:
        print(f"   {tried.doubt} Try it with a photo: drop one into the inbox.")


def _configure(config: Path, place: setup_engine.Place, *, dry: bool) -> None:
    values = {
        "engine": {"name": "facefusion"},
        "engine.facefusion": {"root": str(place.root), "python": str(place.python)},
    }
    try:
        before = config_edit.read(config)
        made = config_edit.edited(before, values)
        if made.text == before:
            print(f"   {config} names this FaceFusion already.")
            return
        if dry:
            print("".join(f"   {line}" for line in _difference(config, before, made.text)), end="")
            return
        kept = config_edit.back_up(config) if made.replaced else None
        config_edit.write(config, made.text)
    except config_edit.EditRefused as error:
        raise SetupFailed(f"{config} was not changed. {error}") from None
    except OSError as error:
        raise SetupFailed(f"{config} cannot be written: {error.strerror}.", "Mend its rights.") from None
    print("".join(f"   {line}" for line in _difference(config, before, made.text)), end="")
    if kept is not None:
        print(f"   What it said before is kept in {kept}.")
    _confirm(config, place)


def _difference(config: Path, before: str, after: str) -> list[str]:
    """The lines that change, as a diff shows them."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
    return [f"{config}:\n", *(f"{line}\n" for line in lines if not line.startswith("@@"))]


def _confirm(config: Path, place: setup_engine.Place) -> None:
    """What is in force, for the environment wins over the file."""
    try:
        engine = load(config).engine
    except SettingsError as error:
        raise SetupFailed(str(error)) from None
    if (engine.name, engine.facefusion.root) != ("facefusion", place.root):
        print("   Environment variables FACESWAPD_ENGINE__... say something else, and they win. Unset them.")


def _tell_next(config: Path, settings: Settings, presets: tuple[str, ...], *, dry: bool) -> None:
    if dry:
        print("\nNothing was changed.")
        return
    used = {inbox.preset for inbox in settings.inbox} - set(presets)
    if used:
        names = ", ".join(sorted(used))
        print(f"   Inboxes use {names}, too: their models are fetched with the first job.")
    option = "" if config == default_config().absolute() else f" --config {shlex.quote(str(config))}"
    print(f"""
FaceFusion is set up.
  See that all is well:        faceswapd doctor{option}
  Start the daemon:            faceswapd run{option}
  Or let it always run:        faceswapd service install{option}
  A daemon that runs already takes FaceFusion with its next start.
""")
