"""The control socket itself: its rights, and what lies in its place."""

import contextlib
import os
import stat
import threading
from pathlib import Path

import pytest

from faceswapd.control.server import listen


def test_the_socket_is_the_users_alone_from_its_first_moment(tmp_path: Path) -> None:
    path, seen, over = tmp_path / "control.sock", set(), threading.Event()

    def spy() -> None:
        while not over.is_set():
            with contextlib.suppress(FileNotFoundError):
                seen.add(stat.S_IMODE(path.lstat().st_mode))

    before = os.umask(0)
    spying = threading.Thread(target=spy)
    spying.start()
    try:
        for rounds in range(100_000):
            if rounds >= 100 and seen:  # the spy has come to look, however busy the machine is
                break
            with listen(path):
                assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        assert os.umask(0) == 0  # given back
    finally:
        over.set()
        spying.join()
        os.umask(before)
    assert seen == {0o600}


def test_a_dead_socket_is_replaced_and_a_living_one_or_a_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    listen(path).close()
    with listen(path), pytest.raises(OSError, match="another daemon answers there"):
        listen(path)
    path.unlink()
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError, match="something that is no socket"):
        listen(path)
    assert path.read_text(encoding="utf-8") == "mine"
