"""`faceswapd run`: the daemon, in the foreground."""

import argparse
import asyncio
import faulthandler
import signal
import sys
from collections.abc import Callable
from typing import Any

import structlog

from faceswapd.cli import logs
from faceswapd.cli.place import add_config
from faceswapd.daemon import CannotStart, run
from faceswapd.ledger.connection import FULL, LedgerError, LedgerFullError
from faceswapd.runtime.health.watchdog import Watchdog
from faceswapd.settings import Settings, SettingsError, load

AGAIN = 1  # the service manager starts it again
CANNOT_START = 78  # EX_CONFIG of sysexits.h: starting again would not help, so the service manager does not


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser("run", help="run the daemon", description="Run the daemon until it is stopped.")
    add_config(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        settings = load(arguments.config)
        logs.set_up(settings.log_level, settings.state / "logs")
    except SettingsError as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    except OSError as error:
        mend = "Make room on its disk" if error.errno in FULL else "Mend its rights"
        print(f"The log {error.filename} cannot be written: {error.strerror}. {mend}.", file=sys.stderr)
        return AGAIN if error.errno in FULL else CANNOT_START
    log = structlog.get_logger("faceswapd")

    def ready(said: str) -> None:
        if said:
            log.warning(said)
        log.info("ready", config=str(arguments.config), socket=str(settings.socket_path))

    # A watchdog of the service manager's ends us by SIGABRT: then it is told where each thread stood.
    faulthandler.enable()
    try:
        asyncio.run(_watched(settings, ready))
    except (CannotStart, LedgerError) as error:
        print(error, file=sys.stderr)
        return AGAIN if _is_passing(error) else CANNOT_START
    except LedgerFullError as error:  # starting again helps as soon as there is space
        print(error, file=sys.stderr)
        return AGAIN
    except Exception:
        log.exception("a loop failed: the daemon ends, and the service manager starts it again")
        return AGAIN
    log.info("stopped")
    return 0


async def _watched(settings: Settings, ready: Callable[[str], None]) -> None:
    with Watchdog() as watchdog:
        try:
            await run(settings, watchdog, ready)
        finally:  # all is done: a signal that comes now must not make it look as if it had been cut short
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)


def _is_passing(error: CannotStart | LedgerError) -> bool:
    """Whether the next start may go well although nobody mends anything: a full disk is emptied."""
    if isinstance(error, LedgerError):
        return error.passing
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in FULL
