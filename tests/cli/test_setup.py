"""`faceswapd setup` as a process, against a FaceFusion that stands in. No network: git and pip are small scripts."""

import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from watchfiles import watch

from faceswapd.cli import init
from faceswapd.engines.facefusion import installing
from tests.cli.bench import SECONDS, Machine
from tests.engines.facefusion.weights_server import serving
from tests.fakes.facefusion_root import MODELS, write_model

ACCEPT = "--accept-licences"
# Makes the pseudo-terminal the one that Ctrl-C comes from, and becomes faceswapd.
TAKE_TERMINAL = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine.made(tmp_path)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine whose FaceFusion has been asked already, which is what takes time."""
    made = Machine.made(tmp_path_factory.mktemp("asked"))
    made.facefusion()
    return made


@pytest.fixture
def ready(asked: Machine) -> Machine:
    """The same with a fresh configuration."""
    for kept in asked.config.parent.glob("config.toml*"):
        kept.unlink()
    init.make(asked.config.parent)
    return asked


def engine_of(machine: Machine) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(machine.config.read_text(encoding="utf-8")).get("engine", {})
    return found


def test_what_is_there_is_found_tried_and_entered_and_doing_it_twice_is_harmless(ready: Machine) -> None:
    root, before = ready.root, ready.config.read_text(encoding="utf-8")
    done = ready.run("setup")
    assert f"Found in {root}" in done.stdout
    assert "It works" in done.stdout
    assert engine_of(ready) == {
        "name": "facefusion",
        "facefusion": {"root": str(root), "python": str(root / "venv" / "bin" / "python")},
    }
    after = ready.config.read_text(encoding="utf-8")
    assert len(after.splitlines()) == len(before.splitlines())
    assert list(ready.config.parent.glob("config.toml.*")) == []
    again = ready.run("setup")
    assert "names this FaceFusion already" in again.stdout
    assert ready.config.read_text(encoding="utf-8") == after


def test_a_configuration_is_made_where_there_is_none(ready: Machine) -> None:
    ready.config.unlink()
    ready.run("setup", "--no-test")
    assert engine_of(ready)["name"] == "facefusion"


@pytest.mark.deep
def test_what_the_user_had_set_is_kept_beside(ready: Machine) -> None:
    text = ready.config.read_text(encoding="utf-8") + '\n[engine]\nname = "preview" # for now\nslots = 2\n'
    ready.config.write_text(text, encoding="utf-8")
    done = ready.run("setup", "--no-test")
    assert 'name = "facefusion" # for now' in ready.config.read_text(encoding="utf-8")
    [kept] = ready.config.parent.glob("config.toml.*")
    assert kept.read_text(encoding="utf-8") == text
    assert str(kept) in done.stdout


@pytest.mark.parametrize("more", [(), ("--yes",)])
def test_nobody_can_be_asked_and_nothing_is_there(machine: Machine, more: tuple[str, ...]) -> None:
    machine.script("python3.12", "echo 3 12")
    done = machine.run("setup", *more, code=2)
    assert ACCEPT in done.stderr if more else "--install DIR" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_several_are_found_and_nobody_can_be_asked(machine: Machine, tmp_path: Path) -> None:
    machine.facefusion()
    machine.root.rename(machine.config.parent / "facefusion")
    machine.facefusion()
    done = machine.run("setup", code=2)
    assert "--root DIR" in done.stderr
    assert str(machine.root) in done.stderr


def test_a_folder_that_is_none(machine: Machine, tmp_path: Path) -> None:
    done = machine.run("setup", "--root", str(tmp_path / "nowhere"), code=1)
    assert "does not exist" in done.stderr


def test_a_preset_that_is_none(machine: Machine) -> None:
    done = machine.run("setup", "--presets", "fast,quick", code=2)
    assert "'quick'" in done.stderr
    assert "balanced" in done.stderr


def test_offline_it_says_which_file_from_where_goes_where(machine: Machine) -> None:
    root = machine.facefusion(models=[name for name in MODELS if name != "hyperswap_1a_256"])
    before = machine.config.read_bytes()
    done = machine.run("setup", "--offline", ACCEPT, code=1)
    assert "hyperswap_1a_256.onnx" in done.stderr
    assert "https://" in done.stderr
    assert str(root / ".assets" / "models") in done.stderr
    assert machine.config.read_bytes() == before


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which FaceFusion itself demands")
def test_what_lacks_is_fetched_and_a_server_that_knows_nothing_changes_nothing(machine: Machine) -> None:
    lacking = "hyperswap_1a_256"
    with serving() as weights:
        root = machine.facefusion(weights.address, models=[name for name in MODELS if name != lacking])
        before = machine.config.read_bytes()
        failed = machine.run("setup", ACCEPT, code=1)
        assert f"{weights.address}/" in failed.stderr
        assert str(root / ".assets" / "models") in failed.stderr
        assert machine.config.read_bytes() == before
        there = write_model(machine.home / "stored", lacking)
        weights.files = {f"/{lacking}.onnx": there.read_bytes()}
        weights.files[f"/{lacking}.hash"] = there.with_suffix(".hash").read_bytes()
        done = machine.run("setup", ACCEPT)
    assert "models are there and right" in done.stdout
    assert (root / ".assets" / "models" / f"{lacking}.onnx").read_bytes() == there.read_bytes()
    assert engine_of(machine)["name"] == "facefusion"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl, which FaceFusion itself demands")
def test_control_c_during_the_download_keeps_what_has_come(machine: Machine) -> None:
    lacking = "hyperswap_1a_256"
    with serving() as weights:
        root = machine.facefusion(weights.address, models=[name for name in MODELS if name != lacking])
        before = machine.config.read_bytes()
        there = write_model(machine.home / "stored", lacking, b"weights" * 10_000)
        weights.files = {f"/{lacking}.onnx": there.read_bytes()}
        weights.files[f"/{lacking}.hash"] = there.with_suffix(".hash").read_bytes()
        weights.ways[f"/{lacking}.onnx"] = ["still:30000"]
        setup = subprocess.Popen(
            [sys.executable, "-m", "faceswapd", "setup", ACCEPT],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=machine.environment(),
        )
        assert weights.reached.wait(SECONDS)
        part = root / ".assets" / "models" / f"{lacking}.onnx.part"
        for _ in watch(part.parent, yield_on_timeout=True, rust_timeout=100, watch_filter=None):
            if part.exists() and part.stat().st_size:
                break
        setup.send_signal(signal.SIGINT)
        _, said = setup.communicate(timeout=SECONDS)
        weights.go_on.set()
    assert setup.returncode == 130
    assert said.strip() == "Stopped. What was fetched is kept: the same command goes on from there."
    assert part.stat().st_size > 0
    assert machine.config.read_bytes() == before


def test_licences_are_accepted_by_somebody(machine: Machine) -> None:
    machine.facefusion(models=[name for name in MODELS if name != "hyperswap_1a_256"])
    done = machine.run("setup", "--yes", code=2)
    assert ACCEPT in done.stderr
    assert "not for commercial use" in done.stdout
    assert engine_of(machine) == {}


@pytest.mark.deep
def test_a_test_swap_that_fails_leaves_the_configuration_as_it_was(machine: Machine) -> None:
    machine.facefusion(fault="traceback")
    before = machine.config.read_bytes()
    done = machine.run("setup", code=1)
    assert "The test swap failed" in done.stderr
    assert machine.config.read_bytes() == before
    assert list((machine.config.parent / "state" / "scratch").glob("*")) == []


def test_a_program_that_facefusion_needs_is_missing(machine: Machine, tmp_path: Path) -> None:
    machine.facefusion()
    machine.script("apt-get", "exit 0")
    (machine.home / "bin" / "ffprobe").unlink()
    done = machine.run("setup", code=1, PATH=str(machine.home / "bin"))
    assert "curl and ffprobe" in done.stderr or "ffprobe and curl" in done.stderr
    assert "apt-get install" in done.stderr


def test_a_dry_run_shows_all_and_changes_nothing(ready: Machine) -> None:
    before = ready.config.read_bytes()
    done = ready.run("setup", "--dry-run")
    assert '+name = "facefusion"' in done.stdout
    assert ready.config.read_bytes() == before


def test_it_is_installed_by_git_and_pip_of_which_the_last_words_are_shown(machine: Machine) -> None:
    """git copies a stand-in, and the Python that makes the environment makes one whose pip does what the test says."""
    machine.facefusion()
    stored = machine.root.rename(machine.home / "stored")
    (stored / "requirements.txt").write_text("numpy\nonnxruntime==1.28.0\n", encoding="utf-8")
    (stored / "venv" / "bin" / "python").unlink()
    (stored / "venv" / "bin").rmdir()
    (stored / "venv").rmdir()
    machine.script("git", f'for last; do :; done; cp -R "{stored}" "$last"')
    base = machine.script("base-python", _base(pip="echo pip: no space left; exit 3"))
    place = machine.home / "apps" / "facefusion"
    wanted = ("setup", "--install", str(place), "--python", str(base), ACCEPT, "--onnxruntime", "cuda@12")
    failed = machine.run(*wanted, code=1)
    assert "pip: no space left" in failed.stderr
    assert "github.com/facefusion/facefusion" in failed.stderr
    assert engine_of(machine) == {}
    machine.script("base-python", _base(pip="exit 0"))
    (place / "venv" / "bin" / "python").unlink()
    done = machine.run(*wanted)
    assert f"$ git clone --depth 1 --branch {installing.RELEASE} {installing.SOURCE}" in failed.stdout
    assert "git clone" not in done.stdout  # the source is there already
    assert "It works" in done.stdout
    requirements = (place / "venv" / installing.REQUIREMENTS).read_text(encoding="utf-8")
    assert requirements == "numpy\nonnxruntime-gpu[cuda,cudnn]==1.24.4\n"
    found = engine_of(machine)["facefusion"]
    assert found == {"root": str(place), "python": str(place / "venv" / "bin" / "python")}


def _base(pip: str) -> str:
    """A Python that makes environments in which `import onnx` fails until pip has been there, and pip does this."""
    return f"""
if [ "$2" = "venv" ]; then
  mkdir -p "$3/bin"
  cat > "$3/bin/python" <<'END'
#!/bin/sh
if [ "$2" = pip ]; then touch "$0.filled"; {pip}; fi
if [ "$1" = -c ] && [ ! -e "$0.filled" ]; then exit 1; fi
exec "{sys.executable}" "$@"
END
  chmod +x "$3/bin/python"
else
  echo 3 12
fi"""


def test_something_else_lies_where_it_should_go(machine: Machine) -> None:
    place = machine.home / "thesis"
    place.mkdir()
    (place / "text.md").touch()
    done = machine.run("setup", "--install", str(place), ACCEPT, code=1)
    assert "something else" in done.stderr


def test_a_terminal_is_asked(machine: Machine) -> None:
    """The guided run, on a pseudo-terminal, with two FaceFusions to choose from."""
    machine.facefusion()
    machine.root.rename(machine.config.parent / "facefusion")
    machine.facefusion()
    talk = Terminal(machine, "setup", "--no-test")
    talk.answer("Which one shall be used? [1]", "7")
    talk.answer("Type a number from 1 to 2.", "2")
    talk.answer("Whose models shall be fetched? [balanced]", "fast, best")
    said = talk.end()
    assert talk.code == 0, said
    assert "Inboxes use balanced, too" in said
    assert engine_of(machine)["name"] == "facefusion"


@pytest.mark.deep
def test_control_c_at_a_question_is_one_line(machine: Machine) -> None:
    machine.facefusion(models=[name for name in MODELS if name != "gfpgan_1.4"])
    talk = Terminal(machine, "setup", "--no-test", "--presets", "best")
    said = talk.interrupt("Do you accept these licences?")
    assert talk.code == 130, said
    assert "Stopped. What was fetched is kept" in said
    assert "Traceback" not in said
    assert engine_of(machine) == {}


def test_the_answer_no_is_a_no(machine: Machine) -> None:
    machine.facefusion(models=[name for name in MODELS if name != "gfpgan_1.4"])
    talk = Terminal(machine, "setup", "--no-test", "--presets", "best")
    talk.answer("Do you accept these licences?", "no")
    assert "The licences were not accepted" in talk.end()
    assert talk.code == 1


class Terminal:
    """faceswapd on a pseudo-terminal."""

    def __init__(self, machine: Machine, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, "-m", "faceswapd", *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env=machine.environment(TERM="xterm"),
        )
        os.close(theirs)
        self._said = b""
        self._seen = 0
        self.code: int | None = None

    def answer(self, question: str, answer: str, ending: str = "\n") -> None:
        """Wait for a question and type the answer."""
        ends = time.monotonic() + SECONDS
        while (place := self._said.find(question.encode(), self._seen)) < 0:
            assert self._read(ends - time.monotonic()), f"never asked: {question}\n{self._said.decode()}"
        self._seen = place + len(question)
        os.write(self._ours, f"{answer}{ending}".encode())

    def interrupt(self, question: str) -> str:
        """Wait for a question and type Ctrl-C; once more where it came in the moment between the question and the wait
        for its answer, in which Python keeps the signal until the next key. All that was said."""
        self.answer(question, "\x03", ending="")
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            if not select.select([self._ours], [], [], 2.0)[0]:
                os.write(self._ours, b"\x03")
            elif not self._read(0.0):
                break
        return self.end()

    def end(self) -> str:
        """All that was said, when it has ended."""
        ends = time.monotonic() + SECONDS
        while self._read(ends - time.monotonic()):
            pass
        self.code = self._process.wait(10)
        os.close(self._ours)
        return self._said.decode(errors="replace")

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], max(0.0, seconds))[0]:
            self._process.kill()
            self._process.wait()
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux says so when the other side has closed it
            data = b""
        if not data:
            self._process.wait(10)
            return False
        self._said += data
        return True
