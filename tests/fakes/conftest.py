"""Media, and a root that all tests share."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.fakes.facefusion_root import make_root, write_settings
from tests.fakes.place import Place
from tests.media.media_files import HEIGHT, WIDTH, Recipe, make_video, picture

FRAMES = 25  # in each video
QUICK = Recipe(options={"preset": "ultrafast"}, frames=FRAMES)


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    cv2.imwrite(str(folder / "source.png"), picture(3))
    cv2.imwrite(str(folder / "image.png"), picture(5))
    cv2.imwrite(str(folder / "image.jpg"), picture(5))
    cv2.imwrite(str(folder / "plain.png"), np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[:, :, 2] = np.linspace(150, 255, WIDTH)
    cv2.imwrite(str(folder / "red.png"), red)
    for name in ("broken.png", "broken.mp4"):
        (folder / name).write_bytes(b"no media at all" * 100)
    make_video(folder / "video.mp4", QUICK)
    make_video(folder / "silent.mp4", Recipe(options={"preset": "ultrafast"}, audio=None, frames=FRAMES))
    make_video(
        folder / "live.webm",
        Recipe(form="webm", video="libvpx", audio="libopus", container={"live": "1"}, frames=FRAMES),
    )
    with av.open(str(folder / "red.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for _ in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(red, "bgr24")))
        container.mux(stream.encode(None))
    return folder


@pytest.fixture(scope="session")
def shared_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_root(tmp_path_factory.mktemp("roots") / "root")


@pytest.fixture
def place(shared_root: Path, media: Path, tmp_path: Path) -> Iterator[Place]:
    """The root that all tests share: put back to 3.8.1, without faults, after each."""
    yield Place(shared_root, tmp_path, media)
    write_settings(shared_root)
