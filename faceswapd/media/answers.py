"""The examiner's answers as JSON objects, for both ends of the pipe. Light: the daemon imports it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Kind, Proof, Unreadable

Answer = Facts | Unreadable | Proof | Failure

_NAMES: Mapping[str, type[Answer]] = {
    "facts": Facts,
    "unreadable": Unreadable,
    "proof": Proof,
    "failure": Failure,
}


def to_wire(answer: Answer) -> dict[str, Any]:
    """One answer as {its name: its fields}."""
    name = next(name for name, kind in _NAMES.items() if isinstance(answer, kind))
    return {name: asdict(answer)}


def from_wire(message: Mapping[str, Any]) -> Answer:
    """The answer that `to_wire` made into this object. Raises ValueError for anything else."""
    try:
        ((name, fields),) = message.items()
        if name == "facts":
            fields = {**fields, "kind": Kind(fields["kind"])}
        return _NAMES[name](**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an answer: {message!r:.200}") from error
