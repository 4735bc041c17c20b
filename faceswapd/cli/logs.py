"""The log: JSON lines in a file that cannot grow for ever, and readable lines on stderr."""

import logging
import sys
from pathlib import Path

import structlog

from faceswapd.cli.log_file import LogFile, Screen


def set_up(level: str, folder: Path) -> None:
    """Send all logging to `folder/faceswapd.log` and to stderr. Raises OSError when the file cannot be opened."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = LogFile(folder / "faceswapd.log")
    file.setFormatter(
        _formatter(shared, structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer(ensure_ascii=True))
    )
    screen = Screen()
    screen.setFormatter(_formatter(shared, _screen_renderer()))
    root = logging.getLogger()
    root.handlers[:] = [file, screen]
    root.setLevel(level.upper())
    for chatty in ("uvicorn", "watchfiles", "asyncio"):  # what they say of every start and event says nothing new
        logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)


def _formatter(
    shared: list[structlog.typing.Processor], *last: structlog.typing.Processor
) -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
    )


def _screen_renderer() -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
