"""What the doctor looks at in FaceFusion: what it is, what it truly runs on, its models and encoders."""

import shlex
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from faceswapd.children import program
from faceswapd.cli.doctor_machine import install_command
from faceswapd.cli.looking import Look, aside
from faceswapd.core.checkup import Finding, ok, problem, warning
from faceswapd.core.ladder import RUNGS
from faceswapd.engines.engine import EngineFailure
from faceswapd.engines.facefusion import models, releases
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.model_store import ModelLine, StoreRefused
from faceswapd.engines.facefusion.options import Chosen, OptionRefused, options_for
from faceswapd.engines.facefusion.providers import CPU
from faceswapd.engines.facefusion.site import Site
from faceswapd.runtime.jobs.fleet import CACHE, wanted_of
from faceswapd.settings import Settings

SURVEY_SECONDS: Final = 300.0  # every execution provider is really tried
MODELS_SECONDS: Final = 300.0  # all are read to their ends, once; then only what has changed
ENCODER_SECONDS: Final = 30.0
VERSION_SECONDS: Final = 20.0
# One frame of 256 x 256, the least that NVIDIA's encoders take, drawn by ffmpeg and thrown away.
FRAME: Final = ("-f", "lavfi", "-i", "testsrc2=size=256x256:rate=25", "-frames:v", "1", "-pix_fmt", "yuv420p")
DRAWN: Final = ("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", *FRAME)


def is_named(settings: Settings) -> bool:
    """Whether the configuration asks for FaceFusion, so that the preview engine never stands in for it."""
    engine = settings.engine
    return engine.name == "facefusion" or (engine.name == "auto" and engine.facefusion.root is not None)


def first(settings: Settings | None, config: Path, keep: Callable[[Site], None], *, online: bool) -> list[Look]:
    """Whether there is a FaceFusion that can be used; `keep` gets it."""
    if settings is not None and settings.engine.name == "preview":
        return [Look("FaceFusion", VERSION_SECONDS, _not_wanted)]
    setup = f"faceswapd setup --config {shlex.quote(str(config))}"
    return [Look("FaceFusion", SURVEY_SECONDS, partial(_survey, settings, setup, keep, online=online))]


def further(site: Site, settings: Settings, config: Path) -> list[Look]:
    """What it needs beside itself."""
    setup = f"faceswapd setup --config {shlex.quote(str(config))}"
    return [
        Look("models", MODELS_SECONDS, partial(_models, site, settings, setup)),
        Look("encoders", ENCODER_SECONDS * 3, partial(_encoders, site, settings)),
    ]


async def _not_wanted() -> Iterable[Finding]:
    return [ok("FaceFusion", "It is not used: the configuration asks for the preview engine.")]


async def _survey(
    settings: Settings | None, setup: str, keep: Callable[[Site], None], *, online: bool
) -> Iterable[Finding]:
    named = settings is not None and is_named(settings)
    wanted = None if settings is None else await aside(partial(wanted_of, settings))
    if settings is None or wanted is None or (wanted.root is None and not named):
        return [warning("FaceFusion", "It is not installed; the preview engine is used.", setup)]
    site = Site(wanted, settings.state / CACHE)
    try:
        installation = await site.survey()
    except EngineFailure as error:
        told = f"{error.failure.sentence} {error.failure.advice}"
        return [(problem if named else warning)("FaceFusion", told, setup)]
    keep(site)
    found = [ok("FaceFusion", f"{installation.label} in {installation.root}, unaltered.")]
    found += [warning("FaceFusion", sentence) for sentence in installation.warnings]
    if online:
        found.append(await _newer(installation.version))
    found.append(await _python(installation.python))
    found += _providers(site)
    found += _choices(site, settings, installation)
    return found


async def _newer(version: tuple[int, int, int]) -> Finding:
    latest = await releases.latest_release()
    if latest is None:
        return warning("release", "Whether there is a newer FaceFusion cannot be learned now.")
    if releases.newer(latest, version):
        return warning("release", f"FaceFusion {latest} is out.", f"faceswapd setup --install DIR --release {latest}")
    return ok("release", f"There is no newer one than {latest}.")


async def _python(python: Path) -> Finding:
    asked = "import sys, onnxruntime as o; print('.'.join(map(str, sys.version_info[:3])), o.__version__)"
    try:
        ended = await program.run((str(python), "-c", asked), seconds=VERSION_SECONDS)
    except program.ProgramError as error:
        return problem("Python", error.failure.sentence)
    said = ended.out.split()
    if ended.code != 0 or len(said) != 2:
        last = next((line for line in reversed(ended.err.splitlines()) if line.strip()), f"exit code {ended.code}")
        return problem("Python", f"{python} cannot load ONNX Runtime: {last.strip()[:200]}")
    return ok("Python", f"{said[0]} with ONNX Runtime {said[1]}, {python}.")


def _providers(site: Site) -> list[Finding]:
    """Each was really run: how long a small model took, and how that compares with the processor."""
    found = []
    for report in site.reports:
        about = f"provider {report.name}"
        if not report.runs:
            judged = problem if report.name == CPU else warning
            found.append(judged(about, f"{report.problem or 'It does not run.'} {report.advice or ''}".strip()))
            continue
        told = "It runs" if report.milliseconds is None else f"It runs: {report.milliseconds:.1f} ms for a small model"
        if report.speedup is not None and report.name != CPU:
            told += f", {report.speedup:.1f} times as fast as the processor"
        found.append(ok(about, f"{told}."))
    return found


def _choices(site: Site, settings: Settings, installation: Installation) -> list[Finding]:
    """What `auto` stands for here, and why."""
    wanted, own = settings.engine, settings.engine.facefusion
    names = ", ".join(one.name for one in site.devices)
    slots = wanted.slots or len(site.devices)
    chosen = "as configured" if wanted.slots else "by itself: one for each device"
    found = [ok("slots", f"{slots}, {chosen} ({names}).")]
    device = site.devices[0]
    gigabytes = "" if device.memory_bytes is None else f" with {device.memory_bytes / 1e9:.0f} GB"
    for name in _used(settings):
        options = _chosen(name, installation, site, settings)
        if options is None:
            continue  # told with its models
        threads, memory = _word(options, "--execution-thread-count"), _word(options, "--video-memory-strategy")
        why = [
            f"{threads} {'thread' if threads == '1' else 'threads'} {_by(own.threads, f'for {device.name}')}",
            f"memory {memory} {_by(own.memory, f'for {device.name}{gigabytes}')}",
        ]
        found.append(ok(f"preset {name}", f"{', '.join(why)}."))
    return found


def _by(configured: object, reason: str) -> str:
    return f"({reason})" if configured is None else "(as configured)"


def _word(chosen: Chosen, option: str) -> str | None:
    """The value of an option; None where the command line has none."""
    words = (*chosen.step, *chosen.process)
    return words[words.index(option) + 1] if option in words else None


async def _models(site: Site, settings: Settings, setup: str) -> Iterable[Finding]:
    """Those of the presets that the inboxes use must be there; of the others it is told."""
    try:
        inventory = await site.models.list()
    except StoreRefused as error:
        return [problem("models", f"{error} {error.advice or ''}".strip())]
    return [_preset_models(name, inventory.lines, settings, setup) for name in _used(settings)]


def _preset_models(name: str, lines: Sequence[ModelLine], settings: Settings, setup: str) -> Finding:
    states = [line.state for line in lines if name in line.presets]
    about, fetch = f"models of {name}", f"{setup} --presets {shlex.quote(name)}"
    if not states:
        return problem(about, "This FaceFusion has no such options: the preset cannot be used with it.")
    if models.whole(states):
        return ok(about, models.sentence_of(states))
    if settings.engine.facefusion.downloads:
        return warning(about, f"{models.sentence_of(states)} They are fetched with the first job.", fetch)
    return problem(about, models.sentence_of(states), fetch)


async def _encoders(site: Site, settings: Settings) -> Iterable[Finding]:
    """Each preset's encoder really encodes a frame."""
    installation, by_encoder = await site.installation(), dict[str, list[str]]()
    for name in _used(settings):
        chosen = _chosen(name, installation, site, settings)
        encoder = None if chosen is None else _word(chosen, "--output-video-encoder")
        if encoder is not None:
            by_encoder.setdefault(encoder, []).append(name)
    return [await _encoder(encoder, presets) for encoder, presets in by_encoder.items()]


def _used(settings: Settings) -> tuple[str, ...]:
    """The presets of the inboxes, each once."""
    return tuple(dict.fromkeys(inbox.preset for inbox in settings.inbox))


def _chosen(name: str, installation: Installation, site: Site, settings: Settings) -> Chosen | None:
    """What a preset is for this version on the first device; None where the version cannot do it."""
    spec, own = settings.preset_spec(name), settings.engine.facefusion
    if spec is None:
        return None
    try:
        return options_for(
            spec.base,
            installation,
            site.devices[0],
            RUNGS[0],
            spec.options,
            threads=own.threads,
            memory=own.memory,
        )
    except OptionRefused:  # told with its models
        return None


async def _encoder(encoder: str, presets: Sequence[str]) -> Finding:
    about = f"encoder {encoder}"
    if shutil.which("ffmpeg") is None:
        return problem(about, "Without ffmpeg no video can be written.", install_command("ffmpeg"))
    try:
        ended = await program.run((*DRAWN, "-c:v", encoder, "-f", "null", "-"), seconds=ENCODER_SECONDS)
    except program.ProgramError as error:
        return problem(about, error.failure.sentence)
    used = f"({', '.join(presets)})"
    if ended.code == 0:
        return ok(about, f"It encodes {used}.")
    last = next((line for line in ended.err.splitlines() if line.strip()), f"exit code {ended.code}")
    hint = " Other programs may hold all sessions of the card." if "nvenc" in encoder else ""
    remedy = 'Set options = {"output-video-encoder" = "libx264"} for the inbox.'
    return problem(about, f"It does not encode {used}: {last.strip()[:200]}.{hint} {remedy}")
