"""Photos of faces that are sent."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from faceswapd.control.files.receiving import Receiving
from faceswapd.control.live import House
from faceswapd.control.refusal import Refused
from faceswapd.core.intake import is_photo
from faceswapd.core.submitting import Looked
from faceswapd.core.target import IMAGE_SUFFIXES, Kind
from faceswapd.core.upload_name import kept_name

LARGEST_PHOTO: Final = 50_000_000  # bytes


async def begin_photo(folder: Path, number: int, given: str, most: int, kept_free: int, stem: str = "") -> Receiving:
    """The next photo begins; `stem` is what it is called instead of its own name. Raises Refused."""
    if number >= most:
        raise Refused(413, f"There are more than {most} photos.")
    name = kept_name(given, "photo")
    if not is_photo(name):
        endings = ", ".join(sorted(IMAGE_SUFFIXES))
        raise Refused(422, f"{given[:60]!r} is no photo by its name's ending.", f"Photos end in {endings}.")
    own = f"{stem}{number + 1:02}{Path(name).suffix}" if stem else name
    inner = folder if stem else folder / str(number)  # two photos may have the same name
    try:
        await asyncio.to_thread(inner.mkdir, exist_ok=True)
        return await asyncio.to_thread(Receiving, inner / own, given[:60], LARGEST_PHOTO, kept_free)
    except OSError as error:
        raise Refused(507, f"The photo cannot be written: {error.strerror}.") from None


async def check_photos(house: House, photos: Sequence[Receiving]) -> None:
    """Whether each is an image that opens. Raises Refused."""
    for one in photos:
        looked = await house.desk.look(str(one.path))
        if not isinstance(looked, Looked):
            raise Refused(422, f"{one.called!r} is no photo: {looked}")
        if looked.facts.kind is not Kind.IMAGE:
            raise Refused(422, f"{one.called!r} is no photo: it is a video.")
