"""One that ignores TERM, has a session of its own and no parent any more is ended with the child that it came from."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from faceswapd.children import kin, program
from faceswapd.children.child import Child
from faceswapd.engines.facefusion.runner import DRIVER
from tests.children.small_children import ESCAPED, NAME, argv, escaped, gone

LAUNCHER = (sys.executable, "-P", "-m", "faceswapd.children.launcher")


def breeding(descriptor: int) -> str:
    """Code that starts one that escapes, and tells its pid on a descriptor."""
    run = f"subprocess.run([sys.executable, '-c', {ESCAPED!r}, '{descriptor}'], pass_fds=[{descriptor}])"
    return f"import subprocess, sys; {run}"


async def test_it_is_ended_with_a_child_that_is_stopped() -> None:
    code = f"{breeding(2)}\nimport sys, time; print('{{\"ready\": {{}}}}', flush=True); time.sleep(600)"
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    child = await Child.start(argv(code), name=NAME, listener=heard.put_nowait)
    far = int(await heard.get())
    assert psutil.pid_exists(far)
    await child.stop()
    assert gone([far], seconds=10)


async def test_it_is_ended_with_a_program_that_has_ended() -> None:
    ended = await program.run(argv(breeding(1)))
    assert gone([int(ended.out)], seconds=10)


PARENT = """
import asyncio, json, os, sys
from faceswapd.children.child import Child

async def main():
    child = await Child.start(sys.argv[1:-1], name="child", listener=lambda data: os.write(1, data))
    os.write(1, f"child {child.identity.pid}\\n".encode())
    await child.ask("run", json.loads(sys.argv[-1]))

asyncio.run(main())
"""


@pytest.fixture(params=["launcher", "driver"])
def child(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[list[str], str]:
    """How a child is started that starts programs, and what it is asked to run."""
    if request.param == "launcher":
        asked = {
            "argv": argv(breeding(1) + "; import time; time.sleep(600)"),
            "cwd": str(tmp_path),
            "env": {},
            "mark": "-",
        }
        return [*LAUNCHER], json.dumps(asked)
    package = tmp_path / "facefusion"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "core.py").write_text(f"def cli():\n    {breeding(1)}\n    import time\n    time.sleep(600)\n")
    return [sys.executable, str(DRIVER)], json.dumps({"argv": [], "mark": "-"})


@pytest.fixture
def family(child: tuple[list[str], str], tmp_path: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int, int]]:
    """A parent, its child, and one that has escaped from the child."""
    command = [*argv(PARENT), *child[0], child[1]]
    environment = {**os.environ, kin.VARIABLE: str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path, env=environment) as parent:
        assert parent.stdout is not None
        told = parent.stdout.readline().split(), parent.stdout.readline().split()
        (_, pid), (far,) = sorted(told, key=len, reverse=True)
        yield parent, int(pid), int(far)
        parent.kill()
    kin.end_all(str(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is ended at the daemon's next start")
@pytest.mark.parametrize("stopped", [False, True])
def test_it_is_ended_when_the_daemon_dies(family: tuple["subprocess.Popen[bytes]", int, int], stopped: bool) -> None:  # noqa: FBT001
    """Even when the child between them has been stopped by somebody."""
    parent, child, far = family
    if stopped:
        os.kill(child, signal.SIGSTOP)
    parent.kill()
    assert gone([child, far], seconds=10)


def test_nobody_is_ended_who_has_another_mark_or_is_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(kin.VARIABLE, "mine")
    far = escaped("mine-and-more")
    try:
        assert kin.end_all("mine") == []
        assert kin.end_all("mine-and") == []
        assert psutil.pid_exists(far)
    finally:
        assert kin.end_all("mine-and-more") == [far]


def test_a_family_is_one_ledger(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert kin.family_of(tmp_path / "link" / "ledger") == kin.family_of(tmp_path / "ledger")
    assert kin.family_of(tmp_path / "other") != kin.family_of(tmp_path / "ledger")
    with kin.family("a family"):
        assert kin.new_mark().startswith("a family/")
        assert kin.new_mark() != kin.new_mark()
    assert kin.VARIABLE not in os.environ
