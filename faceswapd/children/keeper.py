"""A child that is kept warm between two questions, and ended when it has had nothing to do for a while."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from faceswapd.children.child import Child, ChildFailure
from faceswapd.core.failures import Failure


class Keeper:
    """Keeps one child. `async with keeper:` is one turn with it: nobody else has it meanwhile."""

    def __init__(self, name: str, module: str, *, idle_seconds: float, argv: Sequence[str] | None = None) -> None:
        """`module` is one of ours, run in a fresh Python; `argv` starts another child instead. `idle_seconds` after
        the last turn it is ended."""
        self._name = name
        self._module = module
        self._argv = argv
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Lock()
        self._child: Child | None = None
        self._idle: asyncio.Task[None] | None = None

    @property
    def child(self) -> Child | None:
        """The warm child; None before the first turn and after an idle time."""
        return self._child if self._child is not None and self._child.alive else None

    async def ready(self) -> Child:
        """The child, within a turn; started where there is none. Raises ChildFailure: `child_start`."""
        if self._child is not None and self._child.alive:
            return self._child
        try:
            if self._argv is None:
                self._child = await Child.start_module(self._module, name=self._name)
            else:
                self._child = await Child.start(self._argv, name=self._name)
        except ChildFailure as error:  # it never got to a file: the surroundings are broken
            raise ChildFailure(Failure("child_start", error.failure.sentence)) from error
        return self._child

    async def close(self) -> None:
        """End the child and wait until it is gone. A turn that is being taken ends first."""
        async with self._turn:
            await self._call_off()
            if self._child is not None:
                await self._child.stop()
                self._child = None

    async def __aenter__(self) -> Self:
        await self._turn.acquire()
        try:
            await self._call_off()
        except BaseException:
            self._turn.release()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._child is not None and self._child.alive:
                self._idle = asyncio.create_task(self._end_idle(self._child), name=f"idle {self._name}")
        finally:
            self._turn.release()

    async def _call_off(self) -> None:
        """No idle end for now."""
        if self._idle is not None:
            self._idle.cancel()
            await asyncio.wait([self._idle])
            self._idle = None

    async def _end_idle(self, child: Child) -> None:
        await asyncio.sleep(self._idle_seconds)
        await child.stop()
