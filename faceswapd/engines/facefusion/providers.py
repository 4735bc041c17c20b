"""Which execution providers truly run, and the devices that follow from it.

One that is offered need not work: CUDA is listed where its libraries are missing, and then everything runs on the
processor without a word. So each is tried with a small model, in FaceFusion's own Python, in a process of its own.
"""

import asyncio
import os
import platform
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from faceswapd.children import program
from faceswapd.engines.facefusion.installation import Installation
from faceswapd.engines.facefusion.keeping import keep, recall, signature_of
from faceswapd.engines.facefusion.options import Device
from faceswapd.engines.facefusion.probe import signature_of_installation
from faceswapd.engines.facefusion.provider_words import Answer, advice_on, complaint, needs, read

CPU: Final = "cpu"
TRIAL_SECONDS: Final = 90.0  # some seconds as a rule; a driver that hangs takes for ever
TENSORRT_SECONDS: Final = 300.0  # it builds an engine first
WORTH: Final = 1.2  # a provider that is not this much quicker than the processor is not taken by itself
_SCRIPT: Final = Path(__file__).with_name("provider_probe.py")
_NAMES: Final[Mapping[str, str]] = {
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "migraphx": "MIGraphXExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
    "qnn": "QNNExecutionProvider",
    CPU: "CPUExecutionProvider",
}
_NVIDIA: Final = frozenset({"cuda", "tensorrt"})
_BY_WISH: Final = frozenset(
    {"tensorrt"}
)  # the first job of each model waits for minutes, so it is never chosen for you


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """How one execution provider did."""

    name: str  # FaceFusion's word: cuda, coreml, cpu ...
    offered: bool  # whether the installation lists it
    runs: bool  # whether a model truly ran on it
    really: str | None = None  # on what the model ran instead; the provider itself where it runs; None: on nothing
    milliseconds: float | None = None  # for the small model
    speedup: float | None = None  # against the processor; above 1 is quicker
    problem: str | None = None  # one sentence
    advice: str | None = None  # what can be done about it


@dataclass(frozen=True, slots=True)
class Card:
    """An NVIDIA card as nvidia-smi tells it."""

    index: int  # as CUDA counts them in our environment
    name: str
    memory_bytes: int


async def really_runs(installation: Installation, cache: Path) -> tuple[ProviderReport, ...]:
    """Try every provider that the installation offers, one after the other so that the times compare; the processor
    first. The answer is kept in the file `cache` as long as nothing has changed, and only where all run that could be
    chosen: what a system lacks today may be there tomorrow."""
    looks = await asyncio.to_thread(signature_of_installation, installation.root, installation.python)
    seen = tuple(os.environ.get(name) for name in ("CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"))
    signature = signature_of(looks, installation.providers, seen, _SCRIPT.stat().st_mtime_ns)
    kept = await asyncio.to_thread(recall, cache, signature)
    try:
        if kept:
            return tuple(ProviderReport(**one) for one in kept)
    except TypeError:
        pass  # written by another version of ours
    plain = await _try(installation, CPU, None)
    reports = {CPU: plain}
    for name in installation.providers:
        if name != CPU:
            reports[name] = await _try(installation, name, plain.milliseconds)
    ordered = tuple(reports[name] for name in dict.fromkeys((*installation.providers, CPU)))
    if all(report.runs or report.name in _BY_WISH for report in ordered):
        await asyncio.to_thread(keep, cache, signature, [asdict(report) for report in ordered])
    return ordered


def choose(reports: Sequence[ProviderReport], wanted: Sequence[str] | None = None) -> tuple[str, ...]:
    """The providers to give to FaceFusion: those that are wanted, as they stand; by itself the quickest that runs and
    is worth it, with the processor behind it for what it cannot compute."""
    if wanted:
        return tuple(dict.fromkeys(wanted))
    quick = [
        report
        for report in reports
        if report.runs and report.name not in _BY_WISH and (report.speedup or 0.0) >= WORTH and report.name != CPU
    ]
    best = max(quick, key=lambda report: report.speedup or 0.0, default=None)
    return (CPU,) if best is None else (best.name, CPU)


async def devices_of(
    installation: Installation,
    reports: Sequence[ProviderReport],
    *,
    providers: Sequence[str] | None = None,
    device_ids: Sequence[int] | None = None,
) -> tuple[Device, ...]:
    """Where FaceFusion runs, one device at least: each NVIDIA card, else the machine. `providers` and `device_ids` are
    the configuration's; None: as it is found."""
    chosen = choose(reports, providers)
    kind = chosen[0]
    ram, cores = psutil.virtual_memory().total, psutil.cpu_count(logical=False) or psutil.cpu_count()
    if kind == CPU:
        return (Device(CPU, chosen, None, ram, "CPU", cores),)
    if kind not in _NVIDIA:
        ids: Sequence[int | None] = device_ids or (None,)
        return tuple(Device(kind, chosen, index, ram, _name(kind, index), cores) for index in ids)
    cards = {card.index: card for card in await nvidia_cards(dict(installation.env))}
    indexes = tuple(dict.fromkeys(device_ids)) if device_ids else tuple(cards) or (0,)
    return tuple(
        Device(kind, chosen, index, cards[index].memory_bytes, _name(cards[index].name, index, len(indexes)), cores)
        if index in cards
        else Device(kind, chosen, index, None, f"GPU {index}", cores)
        for index in indexes
    )


async def nvidia_cards(env: Mapping[str, str] | None = None) -> tuple[Card, ...]:
    """The cards that the driver shows to us; none without nvidia-smi or a driver."""
    asked = shutil.which("nvidia-smi", path=(env or {}).get("PATH"))
    if asked is None:
        return ()
    query = ("--query-gpu=index,uuid,memory.total,name", "--format=csv,noheader,nounits")
    try:
        ended = await program.run((asked, *query), env=env, seconds=20.0)
    except program.ProgramError:
        return ()
    return cards_in(ended.out, os.environ.get("CUDA_VISIBLE_DEVICES")) if ended.code == 0 else ()


def cards_in(text: str, visible: str | None) -> tuple[Card, ...]:
    """Read nvidia-smi's answer. `visible` is CUDA_VISIBLE_DEVICES: cards that it leaves out do not count, and the
    others are numbered anew in its order."""
    found: dict[str, tuple[str, int]] = {}  # by number
    names: dict[str, str] = {}  # the number, by number or UUID
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",", 3)]
        if len(parts) == 4 and parts[0].isdigit():
            number, uuid, memory, name = parts
            found[number] = (name, int(memory) << 20 if memory.isdigit() else 0)
            names |= {number: number, uuid: number}
    order = list(found)
    if visible is not None:
        order = []
        for one in filter(None, (part.strip() for part in visible.split(","))):
            meant = next((names[known] for known in names if known == one or _is_uuid(known, one)), None)
            if meant is None:
                break  # as CUDA does: what stands behind an unknown one is not seen
            order.append(meant)
    return tuple(Card(index, *found[number]) for index, number in enumerate(order))


def _is_uuid(known: str, said: str) -> bool:
    """CUDA takes the beginning of a UUID, too."""
    return said.startswith("GPU-") and known.startswith(said)


def _name(what: str, index: int | None, several: int = 1) -> str:
    if what == "coreml":
        return "Apple CoreML" if platform.system() == "Darwin" else "CoreML"
    return what if index is None or several == 1 else f"{what} {index}"


async def _try(installation: Installation, name: str, plain: float | None) -> ProviderReport:
    """One trial; `plain` is what the processor took."""
    wanted = _NAMES.get(name, "")
    if not wanted:
        return ProviderReport(name, offered=True, runs=False, problem=f"{name}: it is not known how to try it.")
    seconds = TENSORRT_SECONDS if name == "tensorrt" else TRIAL_SECONDS
    try:
        ended = await program.run(
            (str(installation.python), str(_SCRIPT), wanted),
            cwd=installation.root,
            env={**dict(installation.env), "OMP_NUM_THREADS": "1"},
            seconds=seconds,
        )
    except program.ProgramError as error:
        said = f"it did not answer within {seconds:.0f} seconds" if error.failure.category == "stalled" else ""
        return _failed(name, said or error.failure.sentence.rstrip("."), Answer())
    answer = read(ended.out)
    really = next((known for known, full in _NAMES.items() if full == answer.really), answer.really)
    if really == name and answer.milliseconds is not None:
        speedup = plain / answer.milliseconds if plain is not None and answer.milliseconds > 0 else None
        return ProviderReport(
            name,
            offered=name in installation.providers,
            runs=True,
            really=name,
            milliseconds=answer.milliseconds,
            speedup=1.0 if name == CPU else speedup,
        )
    return _failed(name, complaint(ended.err, ended.code, answer), answer, really)


def _failed(name: str, why: str, answer: Answer, really: str | None = None) -> ProviderReport:
    instead = (
        f" FaceFusion would run on the {'processor' if really == CPU else really} without a word." if really else ""
    )
    need = f" {needs(answer)}" if name in _NVIDIA and answer.version else ""
    return ProviderReport(
        name,
        offered=True,
        runs=False,
        really=really,
        milliseconds=answer.milliseconds,
        problem=f"The execution provider {name} does not run: {why}.{need}{instead}",
        advice=advice_on(name),
    )


def report_of(reports: Sequence[ProviderReport], name: str) -> ProviderReport:
    """What is known of a provider; one that was not tried is not offered."""
    unknown = ProviderReport(
        name, offered=False, runs=False, problem=f"The installed FaceFusion does not offer {name}."
    )
    return next((report for report in reports if report.name == name), unknown)
