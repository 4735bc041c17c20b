"""The command line."""

import sys
import tempfile
from argparse import ArgumentParser, HelpFormatter, Namespace, _SubParsersAction
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from . import options, traits
from .ffmpeg import get_available_encoder_set
from .jobs.job_manager import sanitize_job_id
from .processor_options import PROCESSOR_OPTIONS, pixel_boosts
from .spans import Option

_STATUSES = ("drafted", "queued", "failed", "completed")


def _large(prog: str) -> HelpFormatter:
    return HelpFormatter(prog, max_help_position=300)


def create_program() -> ArgumentParser:
    """The parser of all commands. It asks ffmpeg seven times which encoders it has."""
    program = ArgumentParser(
        prog="facefusion.py", formatter_class=lambda prog: HelpFormatter(prog, max_help_position=50)
    )
    program.add_argument("-v", "--version", version=traits.NAME, action="version")
    commands = program.add_subparsers(dest="command")
    for name, told in _commands():
        _add(commands, name, told if name in sys.argv else ())  # the others are not asked, and the start is quick
    return program


def _commands() -> Iterator[tuple[str, tuple[Option, ...]]]:
    """Each command of this version with its options; those without dashes have no default."""
    level, jobs, job_id, index = (
        (options.LOG_LEVEL,),
        (options.JOBS,),
        (Option("job_id", short="!", kind=sanitize_job_id),),
        (Option("step_index", short="!", kind=int),),
    )
    paths = (options.CONFIG, replace(options.TEMP, default=tempfile.gettempdir()), options.JOBS)
    files = (options.SOURCE, options.TARGET, options.OUTPUT)
    yield "run", (*paths, *files, *_step(), *options.JOB)
    if not traits.IS_FOUR:
        yield "headless-run", (*paths, *files, *_step(), *options.JOB)
    if traits.VERSION >= (3, 1):
        yield "batch-run", (*paths, *options.PATTERNS, *_step(), *options.JOB)
    yield "force-download", (*options.DOWNLOAD, options.SCOPE, *level)
    if traits.VERSION >= (3, 3):
        yield "benchmark", (*paths[1:2], *_step(), *options.JOB)
    if traits.IS_FOUR:
        yield "api", (*paths, *_step(), *options.JOB)
    yield "job-list", (Option("job_status", choices=_STATUSES, short="!"), *jobs, *level)
    for name in ("job-create", "job-submit", "job-delete"):
        yield name, (*job_id, *jobs, *level)
        if name != "job-create":
            yield name + "-all", (*jobs, *level, options.HALT)
    for name, first in (
        ("job-add-step", job_id),
        ("job-remix-step", (*job_id, *index)),
        ("job-insert-step", (*job_id, *index)),
    ):
        some = files if name != "job-remix-step" else (options.SOURCE, options.OUTPUT)
        yield name, (*first, options.CONFIG, options.JOBS, *some, *_step(), *level)
    yield "job-remove-step", (*job_id, *index, *jobs, *level)
    yield "job-run", (*job_id, *paths, *options.JOB)
    yield "job-run-all", (*paths, *options.JOB, options.HALT)
    yield "job-retry", (*job_id, *paths, *options.JOB)
    yield "job-retry-all", (*paths, *options.JOB, options.HALT)


def _step() -> tuple[Option, ...]:
    """The options of a step. The processors are those in the folder that we stand in: elsewhere there are none."""
    encoders = get_available_encoder_set()
    _find(option_of("face_detector_model"))
    given = {"output_video_encoder": encoders["video"], "output_audio_encoder": encoders["audio"]}
    known = tuple(
        sorted(path.name for path in Path("facefusion/processors/modules").glob("*") if path.name[0] not in "_.")
    )
    listed = tuple(one for one in options.STEP if known or one not in PROCESSOR_OPTIONS)
    listed = tuple(replace(one, choices=given[one.name]) if one.name in given else one for one in listed)
    first = listed.index(PROCESSOR_OPTIONS[0]) if known else len(listed)
    processors = Option(
        "processors", ["face_swapper"], known, many=True, about=f"processors (choices: {', '.join(known)}, ...)"
    )
    _find(processors)
    return tuple(_boosted(one) for one in (*listed[:first], processors, *listed[first:]))


def _boosted(option: Option) -> Option:
    """The sizes to choose from depend on the model that this command line names."""
    if option.name != "face_swapper_pixel_boost":
        return option
    asked = _find(Option("processors", many=True, free=True), option_of("face_swapper_model")).face_swapper_model
    sizes = pixel_boosts(asked)
    return replace(option, choices=sizes, default=sizes[0])


def _find(*wanted: Option) -> Namespace:
    """What the command line says of some options, before all is parsed. A wrong choice ends the program here."""
    finder = ArgumentParser(prog="facefusion.py", add_help=False)
    for one in wanted:
        finder.add_argument("--" + one.name.replace("_", "-"), **one.arguments())
    return finder.parse_known_args()[0]


def option_of(name: str) -> Option:
    """One of a step's options."""
    return next(one for one in options.STEP if one.name == name)


def _add(commands: "_SubParsersAction[ArgumentParser]", name: str, told: tuple[Option, ...]) -> None:
    parser = commands.add_parser(name, help=name.replace("-", " "), formatter_class=_large)
    for one in told:
        if not options.is_known(one):
            continue
        if one.short == "!":
            parser.add_argument(one.name, choices=one.choices, type=one.kind or str)
        else:
            names = [*([one.short] if one.short else []), "--" + one.name.replace("_", "-")]
            parser.add_argument(*names, **one.arguments())
