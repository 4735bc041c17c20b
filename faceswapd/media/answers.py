"""The answers of the examiner and the mender as JSON objects, for both ends of the pipe. Light: the daemon
imports it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceswapd.core.failures import Failure
from faceswapd.core.target import Facts, Finished, Kind, Prepared, Proof, Thumbnail, Trimmed, Unreadable

Answer = Facts | Unreadable | Proof | Prepared | Trimmed | Finished | Thumbnail | Failure

_NAMES: Mapping[str, type[Answer]] = {
    "facts": Facts,
    "unreadable": Unreadable,
    "proof": Proof,
    "prepared": Prepared,
    "trimmed": Trimmed,
    "finished": Finished,
    "thumbnail": Thumbnail,
    "failure": Failure,
}


def to_wire(answer: Answer) -> dict[str, Any]:
    """One answer as {its name: its fields}."""
    name = next(name for name, kind in _NAMES.items() if isinstance(answer, kind))
    fields = asdict(answer)
    if "path" in fields:
        fields["path"] = str(fields["path"])
    return {name: fields}


def from_wire(message: Mapping[str, Any]) -> Answer:
    """The answer that `to_wire` made into this object. Raises ValueError for anything else."""
    try:
        ((name, fields),) = message.items()
        if name == "facts":
            fields = {**fields, "kind": Kind(fields["kind"])}
        if name in ("prepared", "trimmed", "finished"):
            fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
            fields["path"] = Path(fields["path"])
        if name == "trimmed":
            fields["facts"] = from_wire({"facts": fields["facts"]})
        return _NAMES[name](**fields)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an answer: {message!r:.200}") from error
