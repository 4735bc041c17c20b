# ruff: noqa: TID252  a root stands alone: its package is not tests.fakes.facefusion.facefusion there
"""The processors by name."""

import importlib
from collections.abc import Iterable
from typing import Protocol, cast

from ..pictures import Picture


class ProcessorModule(Protocol):
    """What a module in `modules` offers."""

    __name__: str

    @staticmethod
    def pre_check() -> bool: ...
    @staticmethod
    def pre_process(mode: str) -> bool: ...
    @staticmethod
    def process_frame(frame: Picture) -> Picture: ...
    @staticmethod
    def post_process() -> None: ...
    @staticmethod
    def scale() -> int: ...


def get_processors_modules(processors: Iterable[str]) -> list[ProcessorModule]:
    """The modules of some processors, in their order."""
    names = [f"facefusion.processors.modules.{name}.core" for name in processors]
    return [cast("ProcessorModule", importlib.import_module(name)) for name in names]
