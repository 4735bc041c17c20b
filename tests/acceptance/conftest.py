"""Drawn media, and farms that are always cleaned up."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceswapd.media.drawn import write_portrait
from faceswapd.media.drawn_scene import write_scene_image, write_scene_video
from tests.acceptance.farm import Farm

NewFarm = Callable[..., Farm]


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files to drop."""
    folder = tmp_path_factory.mktemp("media")
    write_portrait(folder / "portrait.png", 4, 256)
    write_portrait(folder / "other.png", 9, 256)
    write_scene_video(folder / "clip.mp4", [11], 240, 180, 1.0, 25)
    write_scene_video(folder / "other.mp4", [7], 240, 180, 1.0, 25)
    write_scene_video(folder / "long.mp4", [11, 7], 320, 180, 3.6, 25)
    times = [0.0]
    while times[-1] < 1.5:
        times.append(times[-1] + (1 / 30, 1 / 15, 1 / 24)[len(times) % 3])
    write_scene_video(folder / "phone.mov", [3], 240, 320, 1.5, 30, rotation=90, times=times)
    write_scene_image(folder / "photo.jpg", [5], 160, 120)
    write_scene_image(folder / "photo.png", [6], 160, 120)
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    cv2.imwrite(str(folder / "nobody.png"), noise)
    whole = (folder / "clip.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (folder / "text.mp4").write_text("hello\n" * 200, encoding="utf-8")
    (folder / "list.mp4").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{folder}/clip.mp4\n#EXT-X-ENDLIST\n", encoding="utf-8"
    )
    return folder


@pytest.fixture
def new_farm(tmp_path: Path, media: Path) -> Iterator[NewFarm]:
    """Makes farms; their daemons end with the test."""
    farms: list[Farm] = []

    def make(settings: str = "", name: str = "farm") -> Farm:
        farms.append(Farm.made(tmp_path / name, media / "portrait.png", settings))
        return farms[-1]

    yield make
    for farm in farms:
        farm.close()


@pytest.fixture
def farm(new_farm: NewFarm) -> Farm:
    """A farm with a running daemon."""
    made = new_farm()
    made.start()
    made.until(lambda _: (made.inbox / "alice").is_dir(), "the folder of the face")
    return made
