"""`faceswapd init`: the folders and a configuration."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from faceswapd.cli.place import CONFIG
from faceswapd.control.wire.address import home_folder
from faceswapd.runtime import notes
from faceswapd.settings import example

FOLDERS = ("faces", "inbox", "outbox", "failed")
HEADER = """\
# The configuration of faceswapd. Every line that begins with # shows a default: take the # away to change it.
# Relative paths are relative to the folder of this file. Times are seconds, or like "30 min"; sizes like "2 GB".
# An environment variable wins over this file: FACESWAPD_DEFAULT_FACE, FACESWAPD_ENGINE__SLOTS, ...
# `faceswapd check` tells what is wrong with it.
"""
PAGE_OFF_ON = (
    "# [http]\n# whether it is there\n# enabled = false\n",
    "[http]\n# whether it is there\nenabled = true\n",
)


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "init",
        help="make the folders and a configuration",
        description="Make faces/, inbox/, outbox/, failed/ and config.toml. What is there already stays as it is.",
    )
    parser.add_argument(
        "folder", nargs="?", type=Path, default=home_folder(), metavar="DIR", help="where (default: ~/FaceSwap)"
    )
    parser.set_defaults(run=_run)


def make(folder: Path, *, page: bool = False) -> Path:
    """Make what is missing and return the configuration's path; `page`: one with which the dashboard is there, on this
    machine alone. Raises OSError."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    notes.write_readme(folder / "inbox")
    config = folder / CONFIG
    if not config.exists():
        text = example(HEADER)
        config.write_text(text.replace(*PAGE_OFF_ON) if page else text, encoding="utf-8")
    return config


def _run(arguments: argparse.Namespace) -> int:
    folder = arguments.folder.expanduser().absolute()
    fresh = not (folder / CONFIG).exists()
    try:
        config = make(folder, page=True)
    except OSError as error:
        print(f"{error.filename} cannot be made: {error.strerror}. Choose another folder.", file=sys.stderr)
        return 1
    print(f"{'Written' if fresh else 'Left as it was'}: {config}")
    option = "" if folder == home_folder() else f" --config {shlex.quote(str(config))}"
    print(f"""
1. Put photos of a person into   {folder / "faces"}/NAME/
2. Start the daemon:             faceswapd run{option}
3. Drop videos and images into   {folder / "inbox"}/NAME/
4. Find the results in           {folder / "outbox"}/NAME/
5. See it all in a browser:      faceswapctl open
""")
    return 0
