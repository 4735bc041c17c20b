"""The name under which a file is kept that somebody sends: harmless, and still to be recognised."""

import re
import unicodedata
from typing import Final

PHOTOS: Final = "photos-"  # begins the name of a folder of photos that are a face of their own; their hash follows
SENT: Final = "sent-"  # begins the name of a folder with an upload that may be on its way still
LONGEST: Final = 120  # bytes of the name without its ending


def kept_name(given: str, usual: str) -> str:
    """A name out of one that nobody can trust; `usual` where nothing is left of it.

    It has no folder, no letter that means something to a shell, a template or a file system, and is not hidden.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    stem, dot, suffix = last.rpartition(".")
    if not dot or not re.fullmatch(r"[A-Za-z0-9]{1,5}", suffix):
        stem, suffix = last, ""
    stem = re.sub(r"[^\w .()\[\],=@-]|_{2,}", "_", stem).strip(" .~_-")
    while len(stem.encode("utf-8", "replace")) > LONGEST:
        stem = stem[:-1].rstrip(" .~_-")
    stem = stem.encode("utf-8", "ignore").decode()
    return f"{stem or usual}.{suffix.lower()}" if suffix else stem or usual
