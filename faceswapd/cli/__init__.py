"""The command `faceswapd`: init, setup, run, demo, check, doctor, service."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from faceswapd import __version__

COMMANDS = ("init", "setup", "run", "demo", "check", "doctor", "service")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 it could not be done, 2 wrong usage."""
    arguments_given = sys.argv[1:] if argv is None else list(argv)
    # Only the module of the command that is asked for is imported: some bring half of the house along.
    names = [name for name in COMMANDS if name in arguments_given[:1]] or COMMANDS
    arguments = parser(names).parse_args(arguments_given)
    try:
        return int(arguments.run(arguments))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output went away
        sys.stderr.close()
        return 1


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser, with these commands."""
    grammar = argparse.ArgumentParser(
        prog="faceswapd",
        description="Drop videos and images into a folder, get verified, labelled face swaps back.",
        epilog="`faceswapctl` says what a running daemon does, and gives it orders.",
    )
    grammar.add_argument("--version", action="version", version=f"faceswapd {__version__}")
    commands = grammar.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names:
        importlib.import_module(f"faceswapd.cli.{name}").add_parser(commands)
    return grammar
