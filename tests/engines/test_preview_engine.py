"""The daemon's side of the preview engine."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from faceswapd.engines.engine import EngineFailure, Work
from faceswapd.engines.preview.engine import PreviewEngine

MakeWork = Callable[..., Work]


def test_the_daemons_side_loads_no_media_libraries() -> None:
    code = "import sys, faceswapd.engines.preview.engine; print({'av', 'cv2', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


async def test_a_child_that_has_grown_is_ended_after_its_run(media: Path, make_work: MakeWork) -> None:
    engine = PreviewEngine(memory_limit=1)
    child = await engine.start()
    output = await engine.run(make_work(media / "clip.mp4"), lambda _: None)
    assert output.frames == 25
    assert engine.child is None
    assert not psutil.pid_exists(child.pid)


async def test_a_warm_child_keeps_no_threads_of_its_jobs(media: Path, make_work: MakeWork) -> None:
    """Decoders, encoders and scalers bring threads along, and a job that failed had not ended them."""
    engine = PreviewEngine()
    threads = []
    for _ in range(3):
        await engine.run(make_work(media / "clip.mp4"), lambda _: None)
        with pytest.raises(EngineFailure, match="No face was found in the video"):
            await engine.run(make_work(media / "empty.mp4"), lambda _: None)
        with pytest.raises(EngineFailure):  # its answer says that the child has begun anew
            await engine.run(make_work(media / "clip.mp4", sources=(media / "nobody.png",)), lambda _: None)
        assert engine.child is not None
        threads.append(psutil.Process(engine.child.pid).num_threads())
    await engine.close()
    assert threads == [threads[0]] * 3
    assert threads[0] < 8
