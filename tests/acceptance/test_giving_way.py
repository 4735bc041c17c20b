"""Everything that the daemon starts gives way: to the desktop, and, where memory ends, before the daemon."""

import contextlib
import sys
from pathlib import Path

import psutil
import pytest

from faceswapd.children.limits import NICE, OOM_SCORE
from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import Farm, children
from tests.fakes.facefusion_root import make_root

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells it in /proc")


def _give_way(farm: Farm, *kinds: str) -> None:
    """Wait until a child of each kind is there and has given way; the daemon itself has not."""
    daemon = farm.processes[-1].pid
    seen: dict[str, tuple[int, int]] = {}  # command lines; niceness and score, as at the last look

    def all_seen() -> bool:
        for child in children(daemon):
            with contextlib.suppress(psutil.Error, OSError):
                of_session = _of_session(child.pid)
                nice = child.nice() if of_session is None else min(child.nice(), of_session)
                seen[" ".join(child.cmdline())] = nice, _score(child.pid)
        gave_way = [words for words, (nice, score) in seen.items() if nice >= NICE and score >= OOM_SCORE]
        return all(any(kind in words for words in gave_way) for kind in kinds)

    farm.until(lambda _: all_seen(), f"all of {kinds} are there and give way")
    assert psutil.Process(daemon).nice() == psutil.Process().nice()
    assert (_of_session(daemon) or 0) < NICE
    assert _score(daemon) == _score(psutil.Process().pid)


def _of_session(pid: int) -> int | None:
    """The niceness of a process's session (sched(7), autogroup). None where the kernel does not share the processors
    out among sessions: there is no such file then, or, for the session that the machine began with, nothing in it."""
    told = Path(f"/proc/{pid}/autogroup")
    words = told.read_text(encoding="ascii").split() if told.exists() else []
    return int(words[-1]) if words else None


def _score(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text(encoding="ascii"))


def test_the_children_of_the_preview_engine_do(new_farm: NewFarm, media: Path) -> None:
    farm = new_farm()
    farm.start()
    farm.drop(media / "long.mp4")
    _give_way(farm, "faceswapd.media.child", "faceswapd.engines.preview")


def test_facefusion_and_what_it_starts_do(new_farm: NewFarm, media: Path, tmp_path: Path) -> None:
    root = make_root(tmp_path / "ff", costs={"per_frame": 0.02})
    engine = f'\n[engine]\nname = "facefusion"\n[engine.facefusion]\nroot = "{root}"\npython = "{sys.executable}"\n'
    farm = new_farm(engine)
    farm.start()
    farm.drop(media / "phone.mov")
    farm.drop(media / "long.mp4")
    _give_way(farm, "faceswapd.media.child", "faceswapd.media.mending_child", "driver.py")
