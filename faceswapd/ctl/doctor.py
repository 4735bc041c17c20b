"""`faceswapctl doctor`: becomes `faceswapd doctor`, which looks at the machine and needs no running daemon."""

import os
import sys
from pathlib import Path
from typing import NoReturn


def doctor(socket_path: str, *, as_json: bool, online: bool) -> NoReturn:
    """With the configuration beside the state folder in which the socket lies, where there is one."""
    config = Path(os.path.realpath(socket_path)).parent.parent / "config.toml"
    words = ["--config", str(config)] if config.exists() else []
    words += [*(["--json"] if as_json else []), *(["--online"] if online else [])]
    sys.stdout.flush()
    # -P: a folder named faceswapd where somebody happens to be is not run.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "faceswapd", "doctor", *words])  # noqa: S606  words of our own
