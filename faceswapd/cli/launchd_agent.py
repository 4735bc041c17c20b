"""The agent of the user's own launchd: its property list, and where it goes."""

import plistlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

LABEL: Final = "io.github.faceswapd.agent"


def agent_file(home: Path) -> Path:
    """Where the agent of a user lies."""
    return home / "Library" / "LaunchAgents" / f"{LABEL}.plist"


def log_folder(home: Path) -> Path:
    """Where launchd writes what the daemon prints; it must exist before the agent starts."""
    return home / "Library" / "Logs" / "faceswapd"


def agent_plist(command: Sequence[str], config: Path, home: Path) -> bytes:
    """The property list that runs this command. All paths are absolute: launchd expands neither ~ nor $HOME."""
    logs = log_folder(home)
    program = Path(command[0])
    path = dict.fromkeys([str(program.parent), "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"])
    agent: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},  # as Restart=on-failure
        "ThrottleInterval": 10,  # seconds between two starts, at least
        "ProcessType": "Standard",  # Background would hold the processor and the disk back
        "Nice": 5,
        "ExitTimeOut": 90,  # seconds from TERM to KILL: longer than the daemon's grace
        "AbandonProcessGroup": False,
        "Umask": 0o077,
        "WorkingDirectory": str(config.parent),
        "StandardOutPath": str(logs / "faceswapd.out.log"),
        "StandardErrorPath": str(logs / "faceswapd.err.log"),
        "EnvironmentVariables": {"PATH": ":".join(path), "LANG": "en_US.UTF-8", "PYTHONUNBUFFERED": "1"},
        "SoftResourceLimits": {"NumberOfFiles": 8192},  # 256 would be too few for 10,000 watched files
        "HardResourceLimits": {"NumberOfFiles": 8192},
    }
    return plistlib.dumps(agent, sort_keys=False)
