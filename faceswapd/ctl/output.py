"""What a command says: complaints on standard error, messages as JSON on standard output."""

import json
import sys
from typing import Any

from faceswapd.control.wire.messages import to_wire
from faceswapd.ctl.client import Problem
from faceswapd.ctl.plain import clean


def complain(sentence: str) -> None:
    """One line on standard error."""
    print(f"faceswapctl: {clean(sentence)}", file=sys.stderr)


def complain_of(problem: Problem) -> int:
    """Say a problem and return its exit code."""
    complain(problem.sentence)
    return problem.code


def print_json(message: Any) -> None:
    """A wire message on one line. Only ASCII, so nothing in a name reaches the terminal as it is."""
    print(json.dumps(to_wire(message)), flush=True)
