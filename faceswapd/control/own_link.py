"""The link by which faceswapctl finds a daemon without being told where its socket lies."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from faceswapd.control import server
from faceswapd.control.wire import address


@contextlib.contextmanager
def own_link(place: Path) -> Iterator[str | None]:
    """A link in the user's runtime folder, by which faceswapctl finds this daemon without being told."""
    link = address.runtime_folder() / address.SOCKET_NAME
    said = None
    try:
        link.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not address.is_private(link.parent):
            said = f"faceswapctl needs --socket {place} ({link.parent} is open to others)."
        elif not _same(link, place) and server.answers(link):
            said = f"Another daemon of yours is the one that faceswapctl finds by itself; use --socket {place}."
        else:
            _replace_link(link, place)
    except OSError as error:
        said = f"faceswapctl needs --socket {place} ({link} cannot be made: {error.strerror})."
    try:
        yield said
    finally:
        with contextlib.suppress(OSError):
            if link.readlink() == place:
                link.unlink()


def _same(link: Path, place: Path) -> bool:
    """Whether a link leads to our own socket: an earlier life that was killed has left it."""
    try:
        return link.samefile(place)
    except OSError:
        return False


def _replace_link(link: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=link.parent) as folder:
        fresh = Path(folder) / "link"
        fresh.symlink_to(place)
        fresh.replace(link)
