"""Limits are for good: each is tried in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from faceswapd.children.limits import NICE
from tests.children.small_children import argv

AUTOGROUP = Path("/proc/self/autogroup")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits and tells this")


def limited(limits: str, then: str, cwd: Path) -> str:
    code = f"from faceswapd.children.limits import Limits, apply\napply(Limits({limits}))\n{then}"
    done = subprocess.run(argv(code), cwd=cwd, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


WRITE = """
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open("made", "wb", buffering=0) as file:
    try:
        print(file.write(b"x" * 1000))
        print(file.write(b"x" * 1000))
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.parametrize(
    ("bound", "said", "size"),
    [
        ("0", ["File too large"], 0),
        ("1500", ["1000", "500"], 1500),
        ("None", ["1000", "1000"], 2000),
    ],
)
def test_a_child_writes_no_more_than_it_may(bound: str, said: list[str], size: int, tmp_path: Path) -> None:
    assert limited(f"memory=1 << 40, file={bound}", WRITE, tmp_path).splitlines() == said
    assert (tmp_path / "made").stat().st_size == size


def test_a_write_over_the_limit_does_not_pass_unseen(tmp_path: Path) -> None:
    """Python itself ignores SIGXFSZ: a child sees an OSError, and is not killed in silence."""
    told = limited(
        "memory=1 << 40, file=0", WRITE.replace("signal.signal(signal.SIGXFSZ, signal.SIG_IGN)", ""), tmp_path
    )
    assert told == "File too large"


@LINUX
def test_memory_over_the_limit_is_a_memory_error(tmp_path: Path) -> None:
    code = """
try:
    bytearray(1 << 30)
except MemoryError:
    print("too much", len(bytearray(1 << 20)))
"""
    assert limited("memory=1 << 29", code, tmp_path) == "too much 1048576"


def test_files_over_the_limit_cannot_be_opened(tmp_path: Path) -> None:
    code = """
kept = []
try:
    while True: kept.append(open("/dev/null"))
except OSError as error:
    print(error.strerror, len(kept) < 20)
"""
    assert limited("memory=1 << 40, files=20", code, tmp_path) == "Too many open files True"


def test_a_child_gives_way_and_leaves_no_core_and_cannot_take_it_back(tmp_path: Path) -> None:
    code = """
import os, resource
print(os.nice(0), resource.getrlimit(resource.RLIMIT_CORE))
if os.getuid():
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    except ValueError:
        print("for good")
else:
    print("for good")
"""
    assert limited("memory=1 << 40", code, tmp_path).splitlines() == [f"{NICE} (0, 0)", "for good"]


@LINUX
def test_a_machine_out_of_memory_ends_a_child_first(tmp_path: Path) -> None:
    assert limited("memory=1 << 40", "print(open('/proc/self/oom_score_adj').read())", tmp_path) == "500"


def test_a_harder_limit_of_the_user_stays(tmp_path: Path) -> None:
    code = """
import resource
from faceswapd.children.limits import Limits, apply
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
apply(Limits(memory=1 << 40))
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""
    done = subprocess.run(argv(code), cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.stdout == "(50, 50)\n", done.stderr


@LINUX
@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares nothing out among sessions")
def test_a_session_that_is_not_heard_at_once_gives_way_soon(tmp_path: Path) -> None:
    """Who may not administer the system is heard once in 0.1 s, of the whole machine: here one after the other."""
    code = (
        "import os, time\nfrom faceswapd.children import limits\nsaid = []\n"
        "def write(line, words):\n"
        "    said.append(words)\n"
        "    if len(said) < 3: raise BlockingIOError\n"
        "    return real(line, words)\n"
        "real, os.write = os.write, write\n"
        "limits.give_way(12)\n"
        "[thread.join() for thread in limits.threading.enumerate() if thread.name == 'autogroup']\n"
        "print(len(said), open('/proc/self/autogroup').read().split()[-1], os.nice(0))"
    )
    done = subprocess.run(
        argv(code), cwd=tmp_path, capture_output=True, text=True, timeout=30, start_new_session=True, check=True
    )
    assert done.stdout.split() == ["3", "12", "12"]


@LINUX
@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel shares nothing out among sessions")
def test_a_session_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    before = AUTOGROUP.read_text(encoding="ascii")
    assert limited("memory=1 << 40", "import os\nprint(os.nice(0))", tmp_path) == str(NICE)
    assert AUTOGROUP.read_text(encoding="ascii") == before
