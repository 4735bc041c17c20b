"""The daemon's side of the preview engine."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from faceswapd.engines.engine import Work
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
