"""Installations that are only told of, and Pythons that note when they are started."""

import sys
from pathlib import Path

from faceswapd.engines.facefusion.installation import Installation

_SWAPPERS = ("ghost_1_256", "inswapper_128", "inswapper_128_fp16", "simswap_unofficial_512")
_FREE = (
    "--processors --output-path --face-mask-types --face-selector-mode --face-selector-order --face-enhancer-model "
    "--reference-face-position --reference-frame-number "
    "--output-image-quality --output-video-preset --output-video-quality --output-audio-encoder "
    "--execution-providers --execution-thread-count --video-memory-strategy --log-level --download-providers"
)


def told(version: tuple[int, int, int] = (3, 8, 1), *, encoders: tuple[str, ...] = ("libx264",)) -> Installation:
    """An installation of this version, with the options that matter here."""
    choices: dict[str, tuple[str, ...]] = dict.fromkeys(_FREE.split(), ())
    choices["--face-swapper-model"] = (*(("hyperswap_1a_256",) if version >= (3, 3, 0) else ()), *_SWAPPERS)
    choices["--face-swapper-pixel-boost"] = ("256x256", "512x512", "768x768", "1024x1024")
    choices["--face-enhancer-blend"] = ("[0..100:1]",)
    choices["--output-video-encoder"] = encoders
    choices["--execution-device-ids" if version >= (3, 4, 0) else "--execution-device-id"] = ()
    choices["--face-aligner-score" if version >= (4, 0, 0) else "--face-landmarker-score"] = ("[0.0..1.0:0.05]",)
    if version >= (3, 4, 0):
        choices["--face-swapper-weight"] = ("0.0", "0.5", "1.0")
    if version >= (3, 8, 0):
        choices["--workflow-strategy"] = ("disk", "memory")
    return Installation(
        root=Path("/opt/facefusion"),
        python=Path("/opt/facefusion/venv/bin/python"),
        version=version,
        label=".".join(map(str, version)),
        commands=frozenset({"run"} if version >= (4, 0, 0) else {"run", "headless-run"}),
        choices=choices,
        providers=("cpu",),
        encoders=encoders,
        unaltered=True,
    )


def noting_python(folder: Path) -> Path:
    """Our own Python, which writes a letter into `starts` beside it whenever it is started."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nprintf x >> "{folder}/starts"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return python


def starts(folder: Path) -> int:
    """How often it was started."""
    path = folder / "starts"
    return len(path.read_text()) if path.exists() else 0


def program_in(folder: Path, name: str, script: str) -> Path:
    """A shell script as a program of this name."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program
