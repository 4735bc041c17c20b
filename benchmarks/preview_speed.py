"""How fast the preview engine's real child is on this machine: frames a second, the median of three runs."""

import asyncio
import statistics
import tempfile
from pathlib import Path

import av

from benchmarks.figure import Figure
from faceswapd.core.target import Facts, Kind
from faceswapd.engines.engine import Work
from faceswapd.engines.preview.engine import PreviewEngine
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_video

RUNS = 3
SECONDS = 4.0
SIZES = (("480p", 854, 480, 12.0), ("720p", 1280, 720, 8.0))  # and the least frames a second


def sound_of(path: Path) -> list[bytes]:
    """Every packet of sound of a file."""
    with av.open(path) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


async def _measured(folder: Path, name: str, width: int, height: int, least: float) -> list[Figure]:
    target, output = folder / f"{name}.mp4", folder / f"{name}-output.mp4"
    frames = write_scene_video(target, [11, 3], width, height, SECONDS)
    facts = Facts(Kind.VIDEO, "0" * 64, target.stat().st_size, width, height, frames, SECONDS, 0, 1)
    work = Work((folder / "face.png",), target, output, "balanced", facts)
    engine = PreviewEngine()
    try:
        results = [await engine.run(work, lambda _: None) for _ in range(RUNS)]
    finally:
        await engine.close()
    speed = statistics.median(result.frames / result.seconds for result in results)
    faces = (results[0].faces or 0) / results[0].frames
    same = sound_of(target) == sound_of(output)
    return [
        Figure(
            f"preview engine, {name}, {faces:.1f} faces",
            f"{speed:.1f} frames/s",
            f">= {least:.0f} frames/s",
            speed >= least,
        ),
        Figure(f"preview engine, {name}, packets of sound", "identical" if same else "changed", "identical", same),
    ]


def measure() -> list[Figure]:
    """One real child, drawn videos with sound, the preset balanced."""
    with tempfile.TemporaryDirectory(prefix="fsb-") as name:
        folder = Path(name)
        write_portrait(folder / "face.png", 4, 512)
        return [
            figure
            for label, width, height, least in SIZES
            for figure in asyncio.run(_measured(folder, label, width, height, least))
        ]
