"""Which inbox files are complete, and whose face a target gets, by which rule.

A path here is the tuple of its parts below its inbox. Names are compared exactly, without case and
NFC-normalised, since macOS hands out NFD.
"""

import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from faceswapd.core.target import IMAGE_SUFFIXES, kind_of

Parts = tuple[str, ...]

IGNORED_ENDINGS: Final = (".part", ".crdownload", ".download", ".filepart", ".tmp", ".!qb")
IGNORED_NAMES: Final = frozenset({"thumbs.db", "desktop.ini"})
IGNORED_FOLDERS: Final = frozenset({"@eadir", "__macosx"})  # .stfolder, .stversions, .trashes begin with a dot
FACE_NOTE: Final = ".needs-face.txt"  # written by the daemon itself beside a parked target
MENDING_NOTE: Final = ".needs-mending.txt"  # ... and beside one whose sidecar has a mistake
BUNDLE_PREFIXES: Final = ("face", "source")
NOT_TEXT: Final = "has a name that is not UTF-8; rename its folder or photo"


def fold(name: str) -> str:
    """A name as it is compared. Folding the case can take a letter apart again (Greek with two marks)."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def kept(number: int) -> int:
    """A number of a file's as the ledger can keep it, in 64 bits with a sign. Some file systems count their files in 64
    bits without one, and a date after the year 2262 has more nanoseconds."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def ignored_file(name: str) -> bool:
    """Files that are never taken and never spoken of: hidden ones, half-finished downloads, litter."""
    folded = name.lower()
    return name.startswith((".", "~")) or folded.endswith(IGNORED_ENDINGS) or folded in IGNORED_NAMES


def ignored_folder(name: str) -> bool:
    """Folders that are never looked into."""
    return name.startswith(".") or name.lower() in IGNORED_FOLDERS


def own_note(parts: Parts) -> bool:
    """Texts that the daemon writes into an inbox."""
    return parts[-1].endswith((FACE_NOTE, MENDING_NOTE)) or parts == ("README.txt",)


@dataclass(frozen=True, slots=True)
class Signature:
    """What changes when a file's content does."""

    inode: int
    size: int  # bytes
    modified: int  # nanoseconds since 1970

    def __post_init__(self) -> None:
        object.__setattr__(self, "inode", kept(self.inode))
        object.__setattr__(self, "modified", kept(self.modified))


@dataclass(frozen=True, slots=True)
class Seen:
    """A file on its way: as it was last, and since when it has been so, in seconds on a steady clock."""

    signature: Signature
    since: float


@dataclass(frozen=True, slots=True)
class Settling:
    """What one look at the listing says."""

    seen: Mapping[str, Seen]  # to be handed to the next look
    ready: tuple[str, ...]  # unchanged for the settle time
    next_at: float | None  # when the next one can be ready, if nothing changes


def settle(seen: Mapping[str, Seen], listing: Mapping[str, Signature], now: float, quiet: float) -> Settling:
    """Which files have not changed for `quiet` seconds. An empty file is never ready."""
    after = {
        path: before if (before := seen.get(path)) and before.signature == signature else Seen(signature, now)
        for path, signature in listing.items()
    }
    waiting = {path: one.since + quiet for path, one in after.items() if one.signature.size}
    ready = tuple(path for path, at in waiting.items() if at <= now)
    return Settling(after, ready, min((at for at in waiting.values() if at > now), default=None))


@dataclass(frozen=True, slots=True)
class Face:
    """A face, as pairing sees it."""

    name: str
    problem: str | None = None  # why it cannot be used; None when it can


@dataclass(frozen=True, slots=True)
class Rules:
    """What pairing knows beside the path."""

    faces: Mapping[str, Face]  # by folded name
    presets: Collection[str]
    default_face: str = ""

    @classmethod
    def of(cls, faces: Iterable[Face], presets: Collection[str], default_face: str = "") -> "Rules":
        """Rules with the faces filed under their folded names. One whose name is no text cannot be spoken of."""
        spoken = (face if _is_text(face.name) else Face(face.name, NOT_TEXT) for face in faces)
        return cls({fold(face.name): face for face in spoken}, presets, default_face)


class Heard(StrEnum):
    """Who named a target's face, where it was said in words."""

    SIDECAR = "sidecar"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True)
class Named:
    """Whose faces are asked for in words, as the ledger calls them: several persons are joined by a plus."""

    sidecar: str | None = None
    folder: str | None = None


NOBODY: Final = Named()


@dataclass(frozen=True, slots=True)
class Pairing:
    """Whose face a target gets. Parked when `face` is None: `sentence` says what is missing."""

    face: str | None
    rule: str | None  # the rule that matched
    sentence: str
    considered: tuple[str, ...]  # each rule in order, with what it found
    preset: str | None = None  # named by the file itself
    bundle: Parts | None = None  # the folder whose face* and source* photos are the face
    heard: Heard | None = None  # the words that named it, where words did


def face_folder(parts: Parts, faces: Mapping[str, Face]) -> Face | None:
    """The face whose name the nearest folder above a file has."""
    return next((face for part in reversed(parts[:-1]) if (face := faces.get(fold(part)))), None)


def bundle_photo(parts: Parts, faces: Mapping[str, Face]) -> bool:
    """Whether a file is a photo of its folder's own face, and so no target."""
    name = parts[-1].lower()
    return (
        len(parts) > 1
        and name.startswith(BUNDLE_PREFIXES)
        and _suffix(name) in IMAGE_SUFFIXES
        and face_folder(parts, faces) is None
    )


def pair(parts: Parts, rules: Rules, bundles: Collection[Parts] = (), named: Named = NOBODY) -> Pairing:
    """Whose face a target gets: the first rule that matches. Never a guess.

    `bundles` are the folders that hold photos named face* or source*. `named` are faces that exist.
    """
    prefix, preset = _named(parts[-1], rules.presets)
    considered: list[str] = []
    for rule, found in (
        ("its sidecar says so", _by_words(named.sidecar, Heard.SIDECAR)),
        ("the file's name begins with the face's name and two underscores", _by_prefix(prefix, rules)),
        ("it lies in the folder with the face's name", face_folder(parts, rules.faces)),
        ("the defaults of its folder (.faceswapd.toml) say so", _by_words(named.folder, Heard.FOLDER)),
        ("photos named face* or source* lie beside it", _by_bundle(parts, bundles)),
        ("the file's name asks for a face that does not exist", _by_unknown_prefix(prefix)),
        ("it is the default face", _by_default(rules)),
        ("it is the only face", _by_only(rules)),
    ):
        if found is None:
            considered.append(f"{rule}: no")
        elif found.problem is not None:
            considered.append(f"{rule}: {found.name}, but it {found.problem}")
            return Pairing(None, None, f"The face '{found.name}' {found.problem}.", tuple(considered), preset)
        else:
            considered.append(f"{rule}: {found.name}")
            bundle = parts[:-1] if isinstance(found, _Bundle) else None
            sentence = f"It gets the face '{found.name}': {rule}."
            heard = found.heard if isinstance(found, _Spoken) else None
            return Pairing(found.name, rule, sentence, tuple(considered), preset, bundle, heard)
    usable = sum(face.problem is None for face in rules.faces.values())
    missing = f"It is not said which of the {usable} faces it gets." if usable else "There is no face yet."
    return Pairing(None, None, missing, tuple(considered), preset)


class _Bundle(Face):
    """A folder's own photos, taken as a face."""


@dataclass(frozen=True, slots=True)
class _Spoken(Face):
    """One face or several, named in words."""

    heard: Heard = Heard.SIDECAR


def _by_words(persons: str | None, heard: Heard) -> Face | None:
    return None if persons is None else _Spoken(persons, heard=heard)


def _by_prefix(prefix: str | None, rules: Rules) -> Face | None:
    return None if prefix is None else rules.faces.get(fold(prefix))


def _by_bundle(parts: Parts, bundles: Collection[Parts]) -> Face | None:
    return _Bundle("/".join(parts[:-1])) if len(parts) > 1 and parts[:-1] in bundles else None


def _by_unknown_prefix(prefix: str | None) -> Face | None:
    """A name that asks for a face which is not there must not get another one."""
    return None if prefix is None else Face(prefix, "is asked for by the file's name, and there is no such face")


def _by_default(rules: Rules) -> Face | None:
    if not rules.default_face:
        return None
    return rules.faces.get(fold(rules.default_face)) or Face(rules.default_face, "is the default, and does not exist")


def _by_only(rules: Rules) -> Face | None:
    usable = [face for face in rules.faces.values() if face.problem is None]
    return usable[0] if len(usable) == 1 else None


def _named(name: str, presets: Collection[str]) -> tuple[str | None, str | None]:
    """The face before __ and the preset after @ that a file's name asks for."""
    stem = name[: -len(_suffix(name))] if _suffix(name) else name
    before, at, after = stem.rpartition("@")
    preset = next((known for known in presets if at and fold(known) == fold(after)), None)
    if preset is not None:
        stem = before
    prefix, underscores, rest = stem.partition("__")
    return (prefix if underscores and prefix and rest else None), preset


def _is_text(name: str) -> bool:
    """Bytes of a file name that are not UTF-8 stand in it as lone surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def _suffix(name: str) -> str:
    dot = name.rfind(".")
    return name[dot:].lower() if dot > 0 else ""


def is_target(name: str) -> bool:
    """Whether a file's name ends like a target's."""
    return kind_of(_suffix(name)) is not None


def is_photo(name: str) -> bool:
    """Whether a file's name ends like a photo's."""
    return _suffix(name) in IMAGE_SUFFIXES
