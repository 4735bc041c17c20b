"""The environment that every child is started in."""

import os
from collections.abc import Mapping
from typing import Final

from faceswapd.children import kin

# ONNX Runtime tells its maker of each session, by the net, from 1.29 on also on Linux; this is its own switch for that
# (https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md). What people leave with us is nobody's business.
DISCREET: Final = {"ORT_DISABLE_TELEMETRY": "1"}


def surroundings(mark: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our own environment with `more` laid over it, and the mark of the child that is about to start (children/kin)."""
    return {**os.environ, **(more or {}), **DISCREET, kin.VARIABLE: mark}
