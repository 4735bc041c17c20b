"""A preset, on a device, in the words of the installed version.

Options that a version does not have are left out of a preset, since they only refine it; one that the user asked for
is refused with a sentence. The content check has no option.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from faceswapd.core.engine_options import SWAPPER, boosts, check, flag
from faceswapd.core.ladder import RUNGS, Rung
from faceswapd.core.presets import DEFAULT_PRESET
from faceswapd.engines.facefusion.installation import Installation

_GB: Final = 1_000_000_000
_LITTLE: Final = 6 * _GB  # memory below which a processor gets the small swapper
_HYPERSWAP: Final = "hyperswap_1a_256"
_INSWAPPER: Final = "inswapper_128"
_HALF: Final = "_fp16"
_NO_HALF: Final = re.compile(r"\bGTX 16\d\d\b")  # cards whose half precision comes out black
_RENAMED: Final = {  # in version 4
    "--face-landmarker-model": "--face-aligner-model",
    "--face-landmarker-score": "--face-aligner-score",
}


class OptionRefused(Exception):
    """The installed FaceFusion cannot do what the user asked for; the text says what and why."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where FaceFusion runs in one slot."""

    kind: str  # cpu, cuda, coreml ...: the execution provider that does the work
    providers: tuple[str, ...]  # as they are given to FaceFusion, the first one preferred
    index: int | None = None  # the card's number; None: there are no numbers
    memory_bytes: int | None = None  # the card's own, else the machine's; None: not known
    name: str = "CPU"  # for people
    cores: int | None = None  # of the machine's processor, real ones; None: not known

    @property
    def is_card(self) -> bool:
        """Whether something else than the processor does the work."""
        return self.kind != "cpu"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A command line's options, in two parts."""

    step: tuple[str, ...]  # what a job's step is: for the one-shot command and for job-add-step
    process: tuple[str, ...]  # how the process works: for the one-shot command and for job-run-all


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of our presets, before the device and the version are known."""

    enhancer_blend: int | None  # None: faces are not restored
    masks: str
    boost_card: int  # pixels of a face's side, on a card
    boost_cpu: int  # ... on a processor
    video_quality: int
    image_quality: int
    encoder_preset: str
    hardware_encoder: bool  # whether a card's encoder is good enough
    threads: tuple[int, int, int]  # on a card with 8, 12 and 24 GB


_KINDS: Final[Mapping[str, _Kind]] = {
    "fast": _Kind(None, "box", 256, 256, 75, 80, "ultrafast", True, (4, 6, 8)),
    "balanced": _Kind(60, "box occlusion", 512, 256, 80, 90, "veryfast", True, (3, 4, 8)),
    "best": _Kind(50, "box occlusion region", 1024, 512, 92, 95, "slow", False, (2, 4, 6)),
}
_ENCODERS: Final = {"cuda": "h264_nvenc", "tensorrt": "h264_nvenc", "coreml": "h264_videotoolbox"}
_SOFTWARE: Final = ("libx264", "h264_nvenc", "h264_videotoolbox", "h264_qsv", "h264_amf", "libx265", "libvpx-vp9")


def options_for(
    preset: str,
    installation: Installation,
    device: Device,
    rung: Rung = RUNGS[0],
    extra: Sequence[tuple[str, str]] = (),
    *,
    threads: int | None = None,
    memory: str | None = None,
    suffix: str = ".mp4",
) -> Chosen:
    """The options of one of our presets, with the user's `extra` ones (by name, without dashes) laid over them.

    `threads` and `memory` (strict, moderate, tolerant) are the configuration's, None: by the device. `suffix` is the
    target's: WebM takes other codings. A higher `rung` asks for less memory. Raises OptionRefused.
    """
    kind = _KINDS.get(preset, _KINDS[DEFAULT_PRESET])
    wanted = _renamed({flag(name): value for name, value in extra}, installation)
    ours = _step(kind, installation, device, suffix)
    _refuse(extra, ours.get("--face-swapper-model"), installation)
    _fit_boost(ours, wanted)
    values = {**ours, **wanted}
    if rung.smaller_boost and "--face-swapper-pixel-boost" in values:
        values["--face-swapper-pixel-boost"] = _smaller(values)
    if installation.knows("--workflow-strategy"):
        values["--workflow-strategy"] = "disk" if _on_disk(installation, rung, values) else "memory"
    count = _threads(kind, device) if threads is None else threads
    count = max(1, count // rung.thread_divisor) if rung.thread_divisor else 1
    strategy = "strict" if rung.strict else memory or _memory(device)
    return Chosen(tuple(_arguments(values)), tuple(_process(installation, device, count, strategy)))


def _step(kind: _Kind, installation: Installation, device: Device, suffix: str) -> dict[str, str]:
    """A preset's own options, by flag; those that the version does not have are left out."""
    swapper = _swapper(installation, device)
    boost = kind.boost_card if device.is_card else kind.boost_cpu
    if swapper.startswith(_INSWAPPER) and not device.is_card and kind.enhancer_blend is None:
        boost = 128
    values = {
        "--processors": SWAPPER,
        "--face-swapper-model": swapper,
        "--face-swapper-pixel-boost": f"{boost}x{boost}",
        "--face-mask-types": kind.masks,
        "--face-selector-mode": "one",
        "--face-selector-order": "large-small",
        "--output-image-quality": str(kind.image_quality),
        "--output-video-preset": kind.encoder_preset,
        "--output-video-quality": str(kind.video_quality),
        **_coding(kind, installation, device, suffix),
    }
    if kind.enhancer_blend is not None:
        values["--processors"] = f"{SWAPPER} face_enhancer"
        values["--face-enhancer-model"] = "gfpgan_1.4"
        values["--face-enhancer-blend"] = str(kind.enhancer_blend)
    return {option: value for option, value in values.items() if installation.knows(option)}


def _swapper(installation: Installation, device: Device) -> str:
    known = installation.choices.get("--face-swapper-model", ())
    weak = not device.is_card and (
        installation.version < (3, 5, 0) or (device.memory_bytes is not None and device.memory_bytes < _LITTLE)
    )
    if _HYPERSWAP in known and not weak:
        return _HYPERSWAP
    return _INSWAPPER if _NO_HALF.search(device.name) else _INSWAPPER + _HALF


def _coding(kind: _Kind, installation: Installation, device: Device, suffix: str) -> dict[str, str]:
    """Encoders. FaceFusion's own choice of sound is refused by ffmpeg in MP4, and the sound is lost."""
    if suffix.lower() == ".webm":
        return {"--output-audio-encoder": "libopus", "--output-video-encoder": "libvpx-vp9"}
    hardware = _ENCODERS.get(device.kind) if kind.hardware_encoder else None
    order = (*((hardware,) if hardware else ()), *_SOFTWARE)
    encoder = next((one for one in order if one in installation.encoders), None)
    return {"--output-audio-encoder": "aac", **({"--output-video-encoder": encoder} if encoder else {})}


def _fit_boost(ours: dict[str, str], wanted: Mapping[str, str]) -> None:
    """A preset's boost may be none of the swapper's that the user chose."""
    model = wanted.get("--face-swapper-model", ours.get("--face-swapper-model", ""))
    boost = ours.get("--face-swapper-pixel-boost")
    allowed = boosts(model)
    if boost is not None and boost not in allowed:
        ours["--face-swapper-pixel-boost"] = allowed[0]


def _refuse(extra: Sequence[tuple[str, str]], swapper: str | None, installation: Installation) -> None:
    """Hold the user's options against the installation. Raises OptionRefused."""
    choices = dict(installation.choices)
    for before, now in _RENAMED.items():
        if now in choices:
            choices[before] = choices[now]
    problems = check(extra, choices, swapper)
    if problems:
        raise OptionRefused(f"FaceFusion {installation.label} cannot do what is asked: {' '.join(problems)}")


def _renamed(wanted: dict[str, str], installation: Installation) -> dict[str, str]:
    return {
        _RENAMED[option] if option in _RENAMED and installation.knows(_RENAMED[option]) else option: value
        for option, value in wanted.items()
    }


def _smaller(values: Mapping[str, str]) -> str:
    allowed = boosts(values.get("--face-swapper-model", ""))
    boost = values["--face-swapper-pixel-boost"]
    return allowed[max(0, allowed.index(boost) - 1)] if boost in allowed else allowed[0]


def always_on_disk(installation: Installation) -> bool:
    """Whether the frames of every video go through the disk."""
    version = installation.version
    return (
        version < (3, 8, 0)  # it knows no other way
        or version >= (4, 0, 0)  # it loses the sound in memory
        or version == (3, 8, 0)  # it keeps every frame in memory
    )


def _on_disk(installation: Installation, rung: Rung, values: Mapping[str, str]) -> bool:
    version = installation.version
    return (
        rung.disk
        or always_on_disk(installation)
        or (version <= (3, 8, 1) and "frame_enhancer" in values["--processors"].split())  # garbled pictures
    )


def _threads(kind: _Kind, device: Device) -> int:
    if not device.is_card:
        return min(32, max(1, (device.cores or 4) // 2))
    if device.kind in ("tensorrt", "coreml"):
        return min(2, kind.threads[0])
    small, middle, large = kind.threads
    gigabytes = 8 if device.memory_bytes is None else device.memory_bytes / _GB
    if gigabytes < 7.5:
        return max(1, small // 2)
    return small if gigabytes < 11 else middle if gigabytes < 22 else large


def _memory(device: Device) -> str:
    """How many models stay loaded, by the memory that they lie in."""
    gigabytes = 8 if device.memory_bytes is None else device.memory_bytes / _GB
    return "strict" if gigabytes < 7.5 else "moderate" if gigabytes < 15.5 else "tolerant"


def _arguments(values: Mapping[str, str]) -> Iterator[str]:
    for option, value in values.items():
        yield option
        yield from value.split()


def _process(installation: Installation, device: Device, threads: int, memory: str) -> Iterator[str]:
    knows = installation.knows
    yield from ("--execution-providers", *device.providers)
    if device.index is not None:
        yield from ("--execution-device-ids" if knows("--execution-device-ids") else "--execution-device-id",)
        yield str(device.index)
    yield from ("--execution-thread-count", str(threads))
    yield from ("--video-memory-strategy", memory)
    if knows("--download-providers"):
        yield from ("--download-providers", "github")  # the first host only; models are whole before it starts
    yield from ("--log-level", "debug")  # at others FaceFusion can hang, and says too little
