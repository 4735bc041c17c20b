"""Drawn media that the engines' tests share, and the work made of them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from faceswapd.core.target import Facts, Kind, kind_of
from faceswapd.engines.engine import Work
from faceswapd.engines.preview.label import burn, label_size
from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_video

MakeWork = Callable[..., Work]
LabelStands = Callable[[NDArray[np.uint8]], bool]


@pytest.fixture(scope="session")
def label_stands() -> LabelStands:
    """Tells whether a picture carries the label, by likeness: coding blurs it a little."""

    def stands(picture: NDArray[np.uint8]) -> bool:
        columns, rows = label_size(picture.shape[1], picture.shape[0])
        expected = np.full(picture.shape, 128, np.uint8)
        burn(expected)
        corner, pattern = (shown[-rows:, :columns, :3].mean(-1).ravel() for shown in (picture, expected))
        return float(np.corrcoef(corner, pattern)[0, 1]) > 0.8

    return stands


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds `face.png`, `clip.mp4` (25 frames, one person, sound) and `empty.mp4` (8 frames, nobody)."""
    folder = tmp_path_factory.mktemp("drawn")
    write_portrait(folder / "face.png", 4, 320)
    write_scene_video(folder / "clip.mp4", [11], 320, 240, 1.0)
    write_scene_video(folder / "empty.mp4", [], 320, 240, 0.32)
    return folder


@pytest.fixture
def make_work(media: Path, tmp_path: Path) -> MakeWork:
    """Work on a target: `make_work(target, sources=..., frames=..., size=...)`."""

    def make(
        target: Path,
        *,
        sources: tuple[Path, ...] | None = None,
        frames: int = 25,
        size: tuple[int, int] = (320, 240),
    ) -> Work:
        kind = kind_of(target.suffix) or Kind.VIDEO
        facts = Facts(kind, "0" * 64, target.stat().st_size, *size, frames, None, 0, 1)
        return Work(sources or (media / "face.png",), target, tmp_path / f"output{target.suffix}", "balanced", facts)

    return make
