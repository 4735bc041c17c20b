"""Which socket the daemon listens on."""

import os
from typing import Final

SHORT: Final = 103  # bytes: a path that every system takes


def find(given: str | None) -> str:
    """The socket's path: as given, else FACESWAPD_SOCKET, else that of the running user's own daemon."""
    named = given or os.environ.get("FACESWAPD_SOCKET")
    if named:
        return _moved(named) if len(os.path.abspath(os.fsencode(named))) > SHORT else named  # noqa: PTH100
    # pathlib takes 5 ms, so it is imported where no path is given.
    from faceswapd.control.wire.address import SOCKET_NAME, home_folder, is_private, runtime_folder

    folder = runtime_folder()
    link = folder / SOCKET_NAME
    at_home = home_folder() / "state" / SOCKET_NAME
    # A link whose socket is gone still says whose daemon it was, so it is better than nothing.
    usable = link.exists() or (link.is_symlink() and not at_home.exists())
    return str(link if usable and is_private(folder) else at_home)


def _moved(named: str) -> str:
    """Where the socket lies if its path is over the system's limit and the daemon had to put it elsewhere."""
    from pathlib import Path

    from faceswapd.control.wire.address import is_private, place_for

    wanted = Path(named).absolute()
    place = place_for(wanted)
    return str(place) if not wanted.exists() and place.exists() and is_private(place.parent) else named
