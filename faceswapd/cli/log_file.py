"""The two ends of the log. Neither grows for ever, nor keeps the daemon from its work when it cannot be written."""

import contextlib
import json
import logging
import logging.handlers
import os
import queue
import sys
import threading
from pathlib import Path
from typing import TextIO

FILE_BYTES = 5_000_000
FILES = 5  # beside the one that is written
LINE_CHARACTERS = 64_000  # of one event; what is longer is cut
SCREEN_LINES = 1_000  # that wait for a slow reader; what comes then is left out
FLUSH_SECONDS = 2.0  # for what the reader has not taken at the end


class LogFile(logging.handlers.RotatingFileHandler):
    """A file that rotates. A folder that somebody has removed is made anew; what cannot be written is left out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=FILES, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        """Write an event, to the file that has the name now."""
        with contextlib.suppress(OSError, ValueError):  # a stream that a full disk let close half
            if self.stream is not None and not self._is_there(self.stream):
                self.close()
            if self.stream is None:
                Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, of a bounded length."""
        line = super().format(record)
        if len(line) <= LINE_CHARACTERS:
            return line
        cut = {"level": record.levelname.lower(), "event": line[: LINE_CHARACTERS // 2], "cut": len(line)}
        return json.dumps(cut)[:LINE_CHARACTERS]

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """A full disk costs lines of the log, and nothing else."""

    def _is_there(self, stream: TextIO) -> bool:
        try:
            there, mine = os.stat(self.baseFilename), os.fstat(stream.fileno())  # noqa: PTH116  a text
        except (OSError, ValueError):
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


class Screen(logging.Handler):
    """Standard error, written by a thread of its own: a terminal that is held (Ctrl-S) or a pipe that nobody reads
    stops that thread, and not the daemon."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__()
        self._stream = sys.stderr if stream is None else stream
        self._lines: queue.Queue[str | None] = queue.Queue(SCREEN_LINES)
        self._thread = threading.Thread(target=self._run, name="screen", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have an event written."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record)[:LINE_CHARACTERS])

    def close(self) -> None:
        """Wait for what is not written yet, but not for ever."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(None)
        self._thread.join(FLUSH_SECONDS)
        super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """What cannot be said is not."""

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError, AttributeError):  # it is closed, or there is none
                self._stream.write(line + "\n")
                self._stream.flush()
