"""A user and mount namespace for a test's mounts and limits. Its root need be nobody outside."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

UNSHARE: Final = ("unshare", "--user", "--map-root-user", "--mount")


class Namespace:
    """Processes that are started inside see its mounts; all others see none of them."""

    def __init__(self, keeper: int) -> None:
        self.prefix = (
            "nsenter",
            "--target",
            str(keeper),
            "--user",
            "--mount",
            "--preserve-credentials",
            f"--wd={Path.cwd()}",
        )
        self._root = Path(f"/proc/{keeper}/root")

    def run(self, *command: str) -> None:
        """Run a command inside. Skips the test where that cannot be done here."""
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, errors="replace")
        if done.returncode:
            pytest.skip(f"`{' '.join(command)}` cannot be done here: {done.stderr.strip()}")

    def mount(self, folder: Path) -> None:
        """Mount a fresh, empty file system over a folder."""
        self.run("mount", "-t", "tmpfs", "faceswapd-test", str(folder))

    def unmount(self, folder: Path) -> None:
        """Take away what was mounted last."""
        self.run("umount", "-l", str(folder))

    def bind(self, folder: Path, place: Path, *, read_only: bool = False) -> None:
        """Show a folder in another place."""
        self.run("mount", "--bind", str(folder), str(place))
        if read_only:
            self.run("mount", "-o", "remount,bind,ro", str(place))

    def limit(self, name: str, number: int) -> None:
        """Set a limit of this namespace's own, as `max_inotify_watches`."""
        self.run("sh", "-c", f"echo {number} >/proc/sys/user/{name}")

    def see(self, path: Path) -> Path:
        """A path inside, as it is reached from outside."""
        return self._root / path.relative_to("/")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace, for as long as it is used. Skips the test where none can be made."""
    if sys.platform != "linux":
        pytest.skip("namespaces are Linux's")
    try:
        keeper = subprocess.Popen(
            [*UNSHARE, "sh", "-c", "echo made; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        pytest.skip("`unshare` is not installed")
    assert keeper.stdout is not None
    with keeper:
        if keeper.stdout.readline() != "made\n":
            pytest.skip("this system lets us make no user namespace")
        yield Namespace(keeper.pid)
        assert keeper.stdin is not None
        keeper.stdin.close()
