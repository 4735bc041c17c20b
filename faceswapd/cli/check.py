"""`faceswapd check`: whether the configuration and its folders can be used."""

import argparse
import os
from typing import Any

from faceswapd.cli.place import add_config
from faceswapd.settings import Problem, Settings, SettingsError, load, unknown_variables


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "check",
        help="check the configuration",
        description="Print every problem of the configuration, with its place and its remedy.",
    )
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        settings = load(arguments.config)
    except SettingsError as error:
        problems = [*error.problems, *unknown_variables()]
    else:
        problems = [*unknown_variables(), *folder_problems(settings)]
    for problem in problems:
        print(f"problem  {problem}")
    if problems:
        print(f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'} found.")
        return 1
    print(f"ok       {arguments.config} can be used.")
    print(f"ok       {_engine(settings)}")
    return 0


def _engine(settings: Settings) -> str:
    """Which engine the daemon would take, in one sentence; `faceswapd doctor` tries it."""
    from faceswapd.runtime.jobs.fleet import wanted_of

    root = None if settings.engine.name == "preview" else wanted_of(settings).root
    if root is None and settings.engine.name != "facefusion":
        return f"The engine is the built-in preview engine. ONNX Runtime offers: {', '.join(_providers())}."
    where = "which was not found" if root is None else f"in {root}"
    return f"The engine is FaceFusion, {where}. `faceswapd doctor` tries it."


def folder_problems(settings: Settings) -> list[Problem]:
    """Folders that are not there and cannot be made, or that we may not write to."""
    folders = {
        "faces": (settings.faces, os.R_OK | os.X_OK),
        "outbox": (settings.outbox, os.W_OK | os.X_OK),
        "failed": (settings.failed, os.W_OK | os.X_OK),
        "state": (settings.state, os.W_OK | os.X_OK),
        "scratch": (settings.scratch_folder, os.W_OK | os.X_OK),
    } | {f"inbox {inbox.name}": (inbox.path, os.R_OK | os.X_OK) for inbox in settings.inbox}
    unmovable = [
        Problem(
            f"inbox {inbox.name} = {inbox.path}",
            f'It cannot be written by this user, so that afterwards = "{inbox.afterwards}" cannot work.',
            'Mend its rights, or set afterwards = "keep".',
        )
        for inbox in settings.inbox
        if inbox.afterwards != "keep" and inbox.path.is_dir() and not os.access(inbox.path, os.W_OK | os.X_OK)
    ]
    found = []
    for key, (folder, rights) in folders.items():
        there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        if not there.is_dir():
            found.append(Problem(f"{key} = {folder}", f"{there} is not a folder.", "Choose another one."))
        elif there != folder and not os.access(there, os.W_OK | os.X_OK):
            found.append(
                Problem(f"{key} = {folder}", f"It cannot be made: {there} is not writable.", "Make it yourself.")
            )
        elif there == folder and not os.access(folder, rights):
            wanted = "written" if rights & os.W_OK else "read"
            found.append(Problem(f"{key} = {folder}", f"It cannot be {wanted} by this user.", "Mend its rights."))
    return found + unmovable


def _providers() -> list[str]:
    """The execution providers that ONNX Runtime was built with; whether they run is for the engine to find out."""
    import onnxruntime

    return [str(provider).removesuffix("ExecutionProvider") for provider in onnxruntime.get_available_providers()]
