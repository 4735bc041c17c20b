"""What an import costs, and what the wheel holds."""

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def loaded(module: str) -> set[str]:
    """The top-level modules that are there after an import in a fresh Python."""
    code = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


HEAVY = {"numpy", "cv2", "av", "onnxruntime"}
DAEMON = {"aiosqlite", "asyncio", "psutil", "pydantic", "pydantic_settings", "sqlite3", "starlette", "structlog"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("faceswapd", HEAVY | DAEMON | {"uvicorn", "watchfiles", "argparse"}),
        ("faceswapd.ctl", HEAVY | DAEMON | {"uvicorn", "watchfiles"}),
        ("faceswapd.core.plan", HEAVY | DAEMON),
        ("faceswapd.children.serve", HEAVY | DAEMON),
        ("faceswapd.daemon", HEAVY | {"httpx", "prometheus_client"}),  # loaded where they are asked for
        ("faceswapd.cli.run", HEAVY),
    ],
)
def test_an_import_brings_along_no_more_than_it_needs(module: str, absent: set[str]) -> None:
    there = loaded(module)
    assert "faceswapd" in there
    assert there & absent == set()


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_the_wheel_holds_what_is_no_python(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "faceswapd"
    wanted = {
        path.relative_to(ROOT).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert any(name.endswith(".sql") for name in wanted)
    assert wanted <= names
    assert "faceswapd/cli/faceswapd.service" in names
    assert {name.rpartition("/")[2] for name in names if "/share/man/man1/" in name} == {"faceswapctl.1", "faceswapd.1"}
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not {name for name in names if name.startswith(("tests", "benchmarks", "docs"))}
