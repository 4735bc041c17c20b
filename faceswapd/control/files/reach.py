"""Which files a client may name.

On the Unix socket it is the daemon's own user who asks: any. Over the network, whoever holds the token may name what
lies in an inbox or in the outbox, and cannot even find out whether anything else is there.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from starlette.requests import Request

from faceswapd.control.doors.guard import PEER
from faceswapd.control.live import House, Live
from faceswapd.control.refusal import Refused


async def check_reach(house: House, request: Request, paths: Iterable[str]) -> None:
    """Raises Refused where one of the paths is not for the one who asks."""
    if PEER in request.scope.get("extensions", {}):
        return
    outside = await asyncio.to_thread(_outside, house.live(), tuple(paths))
    if outside is not None:
        raise Refused(
            403,
            f"Over the network only what lies in an inbox or the outbox can be named, and {outside[:200]!r} does not.",
            "Upload the file with POST /api/process, or ask on the daemon's own machine.",
        )


def _outside(live: Live, paths: tuple[str, ...]) -> str | None:
    """The first path that leads out of all folders; links are followed, as whoever opens the file will."""
    folders = [Path(os.path.realpath(folder)) for folder in (*(one.path for one in live.inboxes), live.outbox)]
    for path in paths:
        # A name as it lies in an inbox is looked for in each of them.
        places = [path] if os.path.isabs(path) else [os.path.join(one.path, path) for one in live.inboxes]  # noqa: PTH117, PTH118
        for place in places:
            try:
                resolved = Path(os.path.realpath(place))
            except ValueError:  # no file can have such a name
                return path
            if not any(resolved.is_relative_to(folder) for folder in folders):
                return path
    return None
