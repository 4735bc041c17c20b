"""Looks at one thing after the other in bounded time, whatever hangs: a disk, a program, a daemon."""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from faceswapd.core.checkup import Finding, problem

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that is looked at. `find` may block only in what it awaits."""

    about: str
    seconds: float  # after which nobody waits for it any more
    find: Callable[[], Awaitable[Iterable[Finding]]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the looks found, in their order."""

    findings: tuple[Finding, ...]
    stuck: bool  # whether something hangs that cannot be ended, so that this process must not wait for its threads


async def look_at_all(looks: Sequence[Look]) -> Seen:
    """All looks at the same time. A look that fails is a finding, too."""
    seen = await asyncio.gather(*(_one(look) for look in looks))
    return Seen(
        tuple(finding for one in seen for finding in one.findings),
        any(one.stuck for one in seen),
    )


async def _one(look: Look) -> Seen:
    try:
        async with asyncio.timeout(look.seconds):
            return Seen(tuple(await look.find()), stuck=False)
    except TimeoutError:
        told = f"It did not answer within {look.seconds:.0f} seconds, so nothing more is known of it."
        return Seen((problem(look.about, told),), stuck=True)
    except Exception as error:  # noqa: BLE001  one look that fails must not hide what the others found
        return Seen((problem(look.about, f"It could not be looked at: {type(error).__name__}: {error}."),), stuck=False)


async def aside(work: Callable[[], Answer]) -> Answer:
    """Do something that may block in a thread of its own, which nothing waits for when the caller is cancelled."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def settle(how: Callable[[], None]) -> None:
        if not done.done():
            how()

    def run() -> None:
        try:
            how = partial(done.set_result, work())
        except Exception as raised:  # noqa: BLE001  it is raised again where it is awaited
            how = partial(done.set_exception, raised)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, how)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done
