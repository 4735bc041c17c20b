# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""What the workflows of a picture and of a video share."""

from pathlib import Path

from .. import faults, logger, state_manager, traits
from ..pictures import Picture
from ..processors.core import ProcessorModule, get_processors_modules
from ..stand_in import COSTS, pay
from ..temp_helper import clear_temp_directory, create_temp_directory
from ..traits import say

_ALWAYS_TELLS = traits.VERSION < (3, 5)


def module_of(kind: str) -> str:
    """Which module tells of making and clearing the folder."""
    return "core" if traits.VERSION >= (3, 8) else traits.workflow_module(kind)


def set_up(kind: str) -> None:
    """Clear what an earlier run has left, and make the folder."""
    clear(kind)
    if create_temp_directory():
        logger.debug(say("creating temporary resources"), module_of(kind))


def clear(kind: str) -> None:
    """Remove the folder."""
    if clear_temp_directory() or _ALWAYS_TELLS:
        logger.debug(say("clearing temporary resources"), module_of(kind))


def modules() -> list[ProcessorModule]:
    """The running step's processors."""
    return get_processors_modules(state_manager.get_item("processors"))


def process(frame: Picture, seconds: float) -> Picture:
    """A frame through all processors."""
    pay(seconds + (COSTS.slow_frame if faults.has("slow_cpu") else 0))
    for module in modules():
        frame = module.process_frame(frame)
    return frame


def finish(kind: str, seconds: float) -> int:
    """The last line. Until 3.7 the folder is cleared before it, later after it."""
    output = Path(state_manager.get_item("output_path"))
    there = output.is_file()
    if traits.VERSION < (3, 8):
        clear(kind)
    if not there:
        logger.error(say(f"processing to {kind} failed"), traits.workflow_module(kind))
        return 1
    logger.info(say(f"processing to {kind} succeeded in {round(seconds, 2)} seconds"), traits.workflow_module(kind))
    if traits.VERSION >= (3, 8):
        clear(kind)
    return 0
