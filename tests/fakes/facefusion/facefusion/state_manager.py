"""What the running command was asked for."""

from typing import Any

_STATE: dict[str, Any] = {}


def init_item(key: str, value: Any) -> None:
    """Set a value at the start of a command."""
    _STATE[key] = value


def set_item(key: str, value: Any) -> None:
    """Set a value for a step."""
    _STATE[key] = value


def get_item(key: str) -> Any:
    """A value; None where there is none."""
    return _STATE.get(key)


def get_state() -> dict[str, Any]:
    """All of it."""
    return _STATE
