"""The unit under a real `systemd --user`, in namespaces of its own. Needs root and the systemd package."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faceswapd.cli.systemd_unit import UNIT, unit_text

SYSTEMD = Path("/lib/systemd/systemd")
DAEMON = (sys.executable, "-m", "faceswapd")
SECONDS = 30.0  # for anything at all to happen
RUNTIME = "/run/user/0"

# Its own control group, so that systemd may make groups below it and nothing of ours is in its way.
START = """
for root in "$@"; do mkdir -p "$root" && echo $$ > "$root/cgroup.procs" || exit 1; done
exec unshare --mount --pid --fork --kill-child --mount-proc sh -c '
    mount --make-rprivate / && mount -t tmpfs tmpfs /run || exit 1
    mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0
    XDG_RUNTIME_DIR=/run/user/0 "$0" --user  # not by exec: process 1 would be the systemd of a system
    exit
' "$SYSTEMD"
"""


@dataclass(frozen=True)
class Manager:
    """A running `systemd --user`."""

    leader: int  # process 1 of its namespace, by its number out here
    home: Path

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """systemctl --user."""
        inside = ["nsenter", "--target", str(self.leader), "--mount", "--pid"]
        command = [*inside, "env", f"XDG_RUNTIME_DIR={RUNTIME}", "systemctl", "--user", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)

    def service(self, *words: str, code: int = 0) -> str:
        """faceswapd service, as the user whose systemd this is."""
        inside = ["nsenter", "--target", str(self.leader), "--mount", "--pid"]
        mine = ["env", f"XDG_RUNTIME_DIR={RUNTIME}", f"HOME={self.home}"]
        done = subprocess.run(
            [*inside, *mine, *DAEMON, "service", *words], capture_output=True, text=True, timeout=SECONDS
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def property(self, name: str) -> str:
        return self.ask("show", UNIT, "-p", name, "--value").stdout.strip()

    def ctl(self, *words: str) -> str:
        """faceswapctl, for this daemon."""
        socket = str(self.home / "state" / "control.sock")
        command = [sys.executable, "-m", "faceswapd.ctl", "--socket", socket, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS).stdout

    def main_pid(self) -> int:
        """The daemon, by its number out here."""
        inside = self.property("MainPID")
        for status in Path("/proc").glob("[0-9]*/status"):
            with contextlib.suppress(OSError):
                numbers = next(
                    line.split()[1:] for line in status.read_text().splitlines() if line.startswith("NSpid:")
                )
                space = Path(f"/proc/{status.parent.name}/ns/pid").readlink()
                if numbers[-1] == inside and space == Path(f"/proc/{self.leader}/ns/pid").readlink():
                    return int(status.parent.name)
        return 0

    def comes_to(self, name: str, value: str) -> None:
        until(lambda: self.property(name) == value, f"{name}={value}, it is {self.property(name)}")


def until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"never: {what}"


def _missing() -> str | None:
    if os.getuid() != 0:
        return "namespaces need root"
    programs = ("unshare", "nsenter", "systemctl")
    absent = [name for name in programs if shutil.which(name) is None]
    if absent or not SYSTEMD.exists():
        return f"not installed: {', '.join(absent) or SYSTEMD}"
    return None if _groups() else "no control group of systemd's own can be made"


def _groups() -> list[Path]:
    roots = [Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup")]
    return [root / f"faceswapd-test-{os.getpid()}" for root in roots if (root / "cgroup.procs").exists()]


def members(word: str) -> list[int]:
    """Who is in the unit's own control groups whose name begins so."""
    return [
        int(pid)
        for root in _groups()
        if (root / "cgroup.kill").exists()
        for procs in root.glob(f"**/{UNIT}/{word}*/cgroup.procs")
        for pid in procs.read_text().split()
    ]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    reason = _missing()
    if reason:
        pytest.skip(reason)
    home = tmp_path / "home"
    subprocess.run([*DAEMON, "init", str(home)], check=True, capture_output=True, timeout=SECONDS)
    unit = home / ".config" / "systemd" / "user" / UNIT
    unit.parent.mkdir(parents=True)
    unit.write_text(unit_text([*DAEMON, "run", "--config", str(home / "config.toml")]))
    drop_in = unit.with_name(f"{UNIT}.d") / "soon.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nWatchdogSec=3\nRestartSec=100ms\n")
    groups = _groups()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SYSTEMD": str(SYSTEMD)}
    with (tmp_path / "log").open("w") as log:
        started = subprocess.Popen(["sh", "-c", START, "sh", *groups], env=environment, stdout=log, stderr=log)
    try:
        made = Manager(_leader(started, tmp_path / "log"), home)
        ready = ("running", "degraded")
        until(lambda: made.ask("is-system-running").stdout.strip() in ready, "systemd --user")
        yield made
        made.ask("stop", UNIT)
    finally:
        started.kill()  # and with it, by --kill-child, everything in its process namespace
        started.wait()
        for group in groups:
            until(lambda group=group: _removed(group), f"{group} is empty")  # type: ignore[misc]


def _leader(started: "subprocess.Popen[bytes]", log: Path) -> int:
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children")
    found: list[int] = []

    def came_up() -> bool:
        if started.poll() is not None:
            pytest.skip(f"no namespaces here: {log.read_text().strip()}")
        for child in children.read_text().split():
            # Before that, the shell has children of its own.
            with contextlib.suppress(OSError):
                if not _same_namespace(int(child), os.getpid()):
                    found.append(int(child))
        return bool(found)

    until(came_up, "the namespaces")
    return found[0]


def _same_namespace(one: int, other: int) -> bool:
    return Path(f"/proc/{one}/ns/pid").readlink() == Path(f"/proc/{other}/ns/pid").readlink()


def _removed(group: Path) -> bool:
    """Remove a control group and those below it; they are busy until the kernel has buried all of theirs."""
    for folder, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):
            Path(folder).rmdir()
    return not group.exists()


def test_start_kill_hang_and_stop(manager: Manager) -> None:
    # `start` comes back when the daemon has said READY=1, and not before.
    done = manager.ask("start", UNIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert manager.property("ActiveState") == "active"
    assert manager.property("StatusText") != ""
    first = manager.property("MainPID")

    # Killed, it is started again.
    manager.ask("kill", "--signal=KILL", "--kill-whom=main", UNIT)
    manager.comes_to("NRestarts", "1")
    manager.comes_to("SubState", "running")
    second = manager.property("MainPID")
    assert second not in (first, "0")

    # Silent, it is killed and started again.
    manager.ask("kill", "--signal=STOP", "--kill-whom=main", UNIT)
    manager.comes_to("NRestarts", "2")
    manager.comes_to("SubState", "running")

    # Told to stop, it ends by itself and stays stopped.
    done = manager.ask("stop", UNIT)
    assert (done.returncode, done.stderr) == (0, "")
    assert (manager.property("ActiveState"), manager.property("Result")) == ("inactive", "success")


def test_under_the_unit_a_file_is_swapped_and_proved(manager: Manager, media: Path) -> None:
    """What the unit forbids leaves the children alone: they decode, swap and encode."""
    assert manager.ask("enable", "--now", UNIT).returncode == 0
    assert manager.ask("is-enabled", UNIT).stdout.strip() == "enabled"
    (manager.home / "faces" / "alice.png").write_bytes((media / "portrait.png").read_bytes())
    (manager.home / "inbox" / "clip.mp4").write_bytes((media / "clip.mp4").read_bytes())
    output = manager.home / "outbox" / "clip.mp4"
    until(output.exists, "the output")
    until(lambda: "succeeded" in manager.ctl("jobs"), "the record")
    groups = {word: pids for word in ("daemon", "child-") if (pids := members(word))}
    if "daemon" not in groups:
        pytest.skip("the output is there, but this systemd left no control group of version 2 to its unit")
    assert groups["daemon"] == [manager.main_pid()]
    assert len(groups["child-"]) == 1, "the warm child of the one slot"
    manager.ask("kill", "--signal=KILL", "--kill-whom=main", UNIT)
    manager.comes_to("NRestarts", "1")
    until(lambda: members("daemon") == [manager.main_pid()], "the daemon is back in its leaf")
    until(lambda: not set(members("child-")) & set(groups["child-"]), "nobody of its earlier life is left")


def test_installed_and_removed_by_the_command_itself(manager: Manager) -> None:
    """`faceswapd service install`, `status` and `uninstall`, with nothing standing in for systemd."""
    unit = manager.home / ".config" / "systemd" / "user" / UNIT
    unit.unlink()
    assert "not installed" in manager.service("status", code=1)
    assert "is installed" in manager.service("install", "--config", str(manager.home / "config.toml"))
    assert (manager.property("ActiveState"), manager.property("Type")) == ("active", "notify")
    assert "running:   yes" in manager.service("status")
    assert "removed" in manager.service("uninstall")
    assert not unit.exists()
    assert manager.property("ActiveState") == "inactive"
