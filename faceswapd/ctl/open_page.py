"""`faceswapctl open`: a link that opens the dashboard once, and the browser for it."""

import os
import sys
from argparse import Namespace

from faceswapd.control.wire.login_messages import Link
from faceswapd.ctl.client import Client, Problem
from faceswapd.ctl.output import complain_of, print_json
from faceswapd.ctl.terminal import Line, Terminal


def open_page(client: Client, arguments: Namespace, terminal: Terminal) -> int:
    """Ask for a link, print it, and open it where there is a screen to open it on."""
    answer = client.post(Link, "/api/login-links", {})
    if isinstance(answer, Problem):
        return complain_of(answer)
    if arguments.json:
        print_json(answer)
        return 0
    if arguments.print:
        terminal.show([Line(answer.url)])
        return 0
    shown = has_screen() and _show(answer.url)
    told = "The dashboard opens in your browser. If it does not:" if shown else "Open this in a browser:"
    terminal.show(
        [Line(told), Line(answer.url), Line(f"The link opens once, within {answer.seconds / 60:.0f} minutes.")]
    )
    return 0


def has_screen() -> bool:
    """Whether a browser with windows can be seen by whoever asks. A text browser in this terminal is not meant."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show(url: str) -> bool:
    import webbrowser  # 20 ms, which no other command needs

    try:
        return webbrowser.open(url)
    except (OSError, webbrowser.Error):
        return False
