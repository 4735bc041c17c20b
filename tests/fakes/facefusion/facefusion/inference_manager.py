"""Which models are loaded in this process."""

import time
from pathlib import Path

from . import faults, logger
from .models import gigabytes, sources
from .stand_in import COSTS, pay
from .traits import say

SIGN = b"stand-in model"  # how the files begin that can be loaded
_LOADED: dict[str, tuple[str, ...]] = {}  # by module


def get_inference_pool(module: str, names: tuple[str, ...]) -> None:
    """Have a module's models loaded. Ends the process where one cannot be."""
    if _LOADED.get(module) == names:
        return
    for name, file in sources(names).items():
        start = time.monotonic()
        pay(COSTS.load_per_gb * gigabytes(name))
        if not Path(file["path"]).read_bytes().startswith(SIGN):
            faults.fail_to_load(name)
        logger.debug(say(f"loading model {name} succeeded in {round(time.monotonic() - start, 2)} seconds"), __name__)
    _LOADED[module] = names


def clear_inference_pool(module: str) -> None:
    """Drop a module's models."""
    _LOADED.pop(module, None)
