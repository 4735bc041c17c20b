"""The command `faceswapd`: init, setup, run, demo, check, doctor, service."""

import argparse
import sys
from collections.abc import Sequence

from faceswapd import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 it could not be done, 2 wrong usage."""
    from faceswapd.cli import check, demo, doctor, init, run, service, setup

    parser = argparse.ArgumentParser(
        prog="faceswapd",
        description="Drop videos and images into a folder, get verified, labelled face swaps back.",
        epilog="`faceswapctl` says what a running daemon does, and gives it orders.",
    )
    parser.add_argument("--version", action="version", version=f"faceswapd {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (init, setup, run, demo, check, doctor, service):
        command.add_parser(commands)
    arguments = parser.parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return 1
