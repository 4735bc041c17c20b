"""Makes FaceFusion roots for tests: a folder with the stand-in, small model files, and what shall go wrong.

The stand-in follows FaceFusion's measured contract; see `facefusion/facefusion/__init__.py`. It runs under this Python.
"""

import compileall
import json
import shutil
import tomllib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

_PACKAGE = Path(__file__).parent / "facefusion" / "facefusion"
_ENTRY = """\
from facefusion.stand_in_entry import main

main()
"""

MODELS = tuple(tomllib.loads((_PACKAGE / "model_sizes.toml").read_text("utf-8")))  # without endings

# What 3.8.1 took on two processor cores: 0.8 s to start, 2.7 s of checksums and 2.9 s of loading for a swap, 0.24 s
# of work for an image of 640x480, 2.8 s for 50 frames of 426x240. What the stand-in itself takes there counts as part
# of it: 0.5 s for its imports, 0.1 s for an image, 0.4 s for such a video.
MEASURED: Mapping[str, float] = MappingProxyType(
    {
        "start": 0.0,
        "encoders": 0.07,
        "hash_per_gb": 0.98,
        "load_per_gb": 2.40,
        "per_image": 0.05,
        "per_frame": 0.041,
        "ffmpeg_call": 0.055,
    },
)


def make_root(
    folder: Path,
    *,
    version: str = "3.8.1",
    costs: Mapping[str, float] | None = None,
    fault: str | None = None,
    models: Iterable[str] = MODELS,
    **more: Any,
) -> Path:
    """A root in `folder`, which is made.

    `costs` are seconds (see MEASURED); `more` are other settings of `stand_in.toml`: `fault_on`, `fault_file`,
    `oom_unless`, `providers`, `encoders`, `download_from`, `scale` ... (see `facefusion/facefusion/stand_in.py`).
    """
    folder.mkdir(parents=True)
    compileall.compile_dir(_PACKAGE, quiet=1)  # once for all roots: the compiled files are copied along
    shutil.copytree(_PACKAGE, folder / "facefusion")
    (folder / "facefusion.py").write_text(_ENTRY, encoding="utf-8")
    (folder / "facefusion.ini").write_text("[paths]\ntemp_path =\njobs_path =\n", encoding="utf-8")
    for name in models:
        write_model(folder / ".assets" / "models", name)
    write_settings(folder, version=version, costs=costs, fault=fault, **more)
    return folder


def write_settings(
    root: Path,
    *,
    version: str = "3.8.1",
    costs: Mapping[str, float] | None = None,
    fault: str | None = None,
    **more: Any,
) -> None:
    """Say anew what a root shall do; its next start follows."""
    settings = {"version": version, **({"fault": fault} if fault else {}), **more}
    lines = [f"{name} = {_value(value)}" for name, value in settings.items()]
    lines += ["[costs]", *(f"{name} = {float(value)}" for name, value in (costs or {}).items())]
    (root / "stand_in.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_model(folder: Path, name: str, content: bytes | None = None) -> Path:
    """A small model file with its checksum beside it. One with a `content` of its own cannot be loaded."""
    folder.mkdir(parents=True, exist_ok=True)
    content = content or b"stand-in model " + name.encode() + b"\n" + name.encode() * 20
    (folder / f"{name}.hash").write_text(f"{zlib.crc32(content):08x}", encoding="ascii")
    path = folder / f"{name}.onnx"
    path.write_bytes(content)
    return path


def _value(value: object) -> str:
    return json.dumps(str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value)
