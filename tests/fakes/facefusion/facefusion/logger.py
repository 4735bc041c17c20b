"""Lines on stderr, as `[FACEFUSION.MODULE] message`. They may follow a bar without a newline."""

import logging

_LEVELS = {"error": logging.ERROR, "warn": logging.WARNING, "info": logging.INFO, "debug": logging.DEBUG}


def init(log_level: str) -> None:
    """Write lines of a level and above."""
    logging.basicConfig(format="%(message)s")
    get_package_logger().setLevel(_LEVELS.get(log_level, logging.INFO))


def get_package_logger() -> logging.Logger:
    """The logger of all modules."""
    return logging.getLogger("facefusion")


def debug(message: str, module_name: str) -> None:
    """Tell a detail."""
    get_package_logger().debug(_line(message, module_name))


def info(message: str, module_name: str) -> None:
    """Tell what is done."""
    get_package_logger().info(_line(message, module_name))


def warn(message: str, module_name: str) -> None:
    """Tell what was left out."""
    get_package_logger().warning(_line(message, module_name))


def error(message: str, module_name: str) -> None:
    """Tell what went wrong."""
    get_package_logger().error(_line(message, module_name))


def _line(message: str, module_name: str) -> str:
    return f"[FACEFUSION.{module_name.rsplit('.', 1)[-1].upper()}] {message}"
