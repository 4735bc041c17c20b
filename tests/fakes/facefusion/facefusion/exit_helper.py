"""How the program ends."""

import signal
import sys
from types import FrameType
from typing import NoReturn

from . import state_manager
from .temp_helper import clear_temp_directory


def hard_exit(error_code: int) -> NoReturn:
    """End with a code."""
    sys.exit(error_code)


def signal_exit(signum: int, frame: FrameType | None) -> NoReturn:
    """End after SIGINT: with code 0, without a word, the temporary folder removed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if state_manager.get_item("target_path"):
        clear_temp_directory()
    hard_exit(0)
