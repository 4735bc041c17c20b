"""What a dropped file is and whether all of it is there; in the child."""

from pathlib import PurePath

from faceswapd.core.target import Facts, Kind, Unreadable, kind_of
from faceswapd.media.extent import missing
from faceswapd.media.image import read_image
from faceswapd.media.opened import NotOrdinaryError, Opened, unopened
from faceswapd.media.signature import HEAD, Family, Signature, identify
from faceswapd.media.video import NotAVideoError, Report, read_video

_ARTICLES = {Kind.IMAGE: "an image", Kind.VIDEO: "a video"}
_FAMILIES = {Kind.IMAGE: Family.IMAGE, Kind.VIDEO: Family.VIDEO}


def probe(path: str, report: Report) -> Facts | Unreadable:
    """Read the whole file. `report` gets a number of pictures that must be decoded, where that takes time."""
    kind = kind_of(PurePath(path).suffix)
    if kind is None:
        return Unreadable("The file's name does not end as an image's or a video's that is taken.")
    try:
        with Opened(path) as file:
            return _read(file, kind, report)
    except NotAVideoError as error:
        return error.unreadable
    except (OSError, NotOrdinaryError) as error:
        return unopened(error)


def recognise(file: Opened, kind: Kind) -> Signature | Unreadable:
    """The format of a file that should be of this kind, judged by its bytes; Unreadable if it is another."""
    if not file.size:
        return Unreadable("The file is empty.", incomplete=True)
    signature = identify(file.peek(0, HEAD))
    if signature.family is _FAMILIES[kind]:
        return signature
    what = _ARTICLES[kind]
    match signature.family:
        case Family.ZEROS:
            return Unreadable("The file holds nothing but zeros so far.", incomplete=True)
        case Family.UNKNOWN:
            return Unreadable(f"The file is not {what}: its first bytes are {signature.noun}.")
        case _:
            return Unreadable(f"The file is not {what}: it is {signature.noun}.")


def _read(file: Opened, kind: Kind, report: Report) -> Facts | Unreadable:
    signature = recognise(file, kind)
    if isinstance(signature, Unreadable):
        return signature
    if kind is Kind.IMAGE:
        picture = read_image(file, signature)
        if isinstance(picture, Unreadable):
            return picture
        width, height, rotation, frames, duration, audio = (
            *(picture.width, picture.height, picture.rotation),
            *(1, None, 0),
        )
    else:
        film = missing(file, signature.form) or read_video(file, report)
        if isinstance(film, Unreadable):
            return film
        width, height, rotation = film.width, film.height, film.rotation
        frames, duration, audio = film.frames, film.duration, film.audio
    return Facts(
        kind=kind,
        content=file.content(),
        size=file.size,
        width=width,
        height=height,
        frames=frames,
        duration=duration,
        rotation=rotation,
        audio=audio,
    )
