"""`faceswapd` with a clock that can jump: 8 bytes of a shared file are added to what the system says the time is.

The steady clock stays as it is, as it does when a machine's clock is set. A library that is laid under the process
would do it for C, too, but cannot bear Python's own way to sleep.
"""

import mmap
import os
import struct
import sys
import time
from pathlib import Path

VARIABLE = "SOAK_CLOCK"  # names the file


def set_clock(file: Path, seconds: float) -> None:
    """Make the clock of whoever shares the file that much wrong."""
    with file.open("r+b") as shared:
        shared.write(struct.pack("<d", seconds))


def main() -> int:
    """Run `faceswapd` with these arguments."""
    with Path(os.environ[VARIABLE]).open("r+b") as shared:
        wrong = mmap.mmap(shared.fileno(), 8)
    true, true_ns = time.time, time.time_ns

    def skew() -> float:
        return float(struct.unpack("<d", wrong[:8])[0])

    time.time = lambda: true() + skew()
    time.time_ns = lambda: true_ns() + int(skew() * 1e9)
    from faceswapd.cli import main as faceswapd

    return faceswapd()


if __name__ == "__main__":
    sys.exit(main())
