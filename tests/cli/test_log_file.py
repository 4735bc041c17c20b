"""The log cannot grow for ever, and one that cannot be written is nobody's failure."""

import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceswapd.cli.log_file import FILE_BYTES, FILES, LINE_CHARACTERS, SCREEN_LINES, LogFile, Screen

BOUND = (FILES + 1) * FILE_BYTES


def event(words: str) -> logging.LogRecord:
    return logging.LogRecord("x", logging.WARNING, "here", 1, words, (), None)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.fixture
def file(tmp_path: Path) -> Iterator[LogFile]:
    (tmp_path / "logs").mkdir()
    made = LogFile(tmp_path / "logs" / "faceswapd.log")
    yield made
    made.close()


@pytest.mark.parametrize(("characters", "lines"), [(2_000, 30_000), (10_000_000, 40)])
def test_the_log_of_a_year_is_bounded(file: LogFile, tmp_path: Path, characters: int, lines: int) -> None:
    record = event(json.dumps({"event": "x" * characters}))
    for _ in range(lines):
        file.emit(record)
    measured = size(tmp_path / "logs")
    print(f"{lines * characters / 1e6:.0f} MB logged, {measured / 1e6:.1f} MB kept")  # noqa: T201
    assert FILE_BYTES / 4 < measured <= BOUND
    last = (tmp_path / "logs" / "faceswapd.log").read_text(encoding="utf-8").splitlines()[-1]
    assert len(last) <= max(LINE_CHARACTERS, characters if characters < LINE_CHARACTERS else 0) + 20
    assert json.loads(last)["event"]


def test_a_folder_that_is_removed_is_made_anew(file: LogFile, tmp_path: Path) -> None:
    file.emit(event("one"))
    shutil.rmtree(tmp_path / "logs")
    file.emit(event("two"))
    assert (tmp_path / "logs" / "faceswapd.log").read_text(encoding="utf-8") == "two\n"


def test_a_place_that_cannot_be_written_is_no_failure(
    file: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(tmp_path / "logs")
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    for _ in range(3):
        file.emit(event("lost"))
    (tmp_path / "logs").unlink()
    file.emit(event("found"))
    assert (tmp_path / "logs" / "faceswapd.log").read_text(encoding="utf-8") == "found\n"
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "faceswapd.log").symlink_to("/dev/full")
    full = LogFile(tmp_path / "faceswapd.log")
    for _ in range(3):
        full.emit(event("lost"))
    with pytest.raises(OSError, match="No space left"):
        full.close()  # so the disk was full indeed
    assert capsys.readouterr() == ("", "")


def test_a_screen_that_nobody_reads_holds_nobody_up() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        screen = Screen(stream)
        done = threading.Event()

        def flood() -> None:
            for number in range(3 * SCREEN_LINES):
                screen.emit(event(f"{number} {'x' * 1000}"))
            done.set()

        threading.Thread(target=flood, daemon=True).start()
        assert done.wait(20), "the pipe holds 64 KB"
        os.set_blocking(reading, True)
        drained = threading.Thread(target=_to_the_end, args=(reading,), daemon=True)
        drained.start()
        screen.close()
    drained.join(20)
    os.close(reading)
    assert not drained.is_alive()


def _to_the_end(reading: int) -> None:
    while os.read(reading, 1 << 20):
        pass


def test_what_is_said_last_is_heard() -> None:
    script = (
        "import logging; from faceswapd.cli.log_file import Screen; "
        "logging.getLogger().handlers[:] = [Screen()]; logging.warning('the last words')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "the last words\n")


def test_a_stream_that_closed_half_is_opened_anew(file: LogFile, tmp_path: Path) -> None:
    """On a full disk, closing it for the rotation raises, and leaves it closed."""
    file.emit(event("one"))
    assert file.stream is not None
    file.stream.close()
    file.emit(event("two"))
    assert (tmp_path / "logs" / "faceswapd.log").read_text(encoding="utf-8") == "one\ntwo\n"
