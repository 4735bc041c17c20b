"""The command `faceswapctl`: asks the daemon over its Unix socket. Standard library only, and little of it:
`status` is typed often and must answer at once."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (default: the process's own arguments) and return its exit code; see `--help`."""
    try:
        # Imported here, so that Ctrl-C during the imports ends as quietly as later.
        from faceswapd.ctl.commands import run

        return run(argv)
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as shells have it
    finally:
        # A Ctrl-C that has hit generated code, such as a class in the making, is remembered by Python: at its end it
        # would kill itself by the signal, however that was caught. To run any text makes it forget.
        exec("")  # noqa: S102
