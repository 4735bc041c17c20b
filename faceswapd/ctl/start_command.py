"""How a daemon that is not running is started."""

import os
import sys
from pathlib import Path
from typing import Final

from faceswapd.control.wire.address import home_folder
from faceswapd.ctl.plain import shell_quote

AGENT: Final = "io.github.faceswapd.agent"  # the service's label on macOS


def start_command(socket_path: str) -> str:
    """The command that starts the daemon which would listen on this socket."""
    home = home_folder()
    own = Path(os.path.realpath(socket_path)).parent.parent
    own_config, home_config = own / "config.toml", home / "config.toml"
    installed = _service_command()
    if own_config.exists() and not (installed and own == home.resolve()):
        return f"faceswapd run --config {shell_quote(str(own_config))}"
    if installed:
        return installed
    run = f"faceswapd run --config {shell_quote(str(home_config))}"
    return run if home_config.exists() else f"faceswapd init && {run}"


def _service_command() -> str | None:
    """What starts the installed service; None where none is installed."""
    user = home_folder().parent
    if sys.platform == "darwin":
        plist = user / "Library" / "LaunchAgents" / f"{AGENT}.plist"
        return f"launchctl kickstart gui/{os.getuid()}/{AGENT}" if plist.exists() else None
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or user / ".config")
    unit = folder / "systemd" / "user" / "faceswapd.service"
    return "systemctl --user start faceswapd" if unit.exists() else None
