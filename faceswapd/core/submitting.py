"""What somebody asks who hands over files: with which faces, under which presets, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from faceswapd.core.intake import Rules, Signature, fold, pair
from faceswapd.core.sidecar import Known, Mistake, Said, understand
from faceswapd.core.target import Facts
from faceswapd.core.wish import NOTHING, Wish

MOST_JOBS: Final = 1000  # of one target
COMMAND: Final = "submit"  # what sentences name in the place of a sidecar's file
_SHOWN: Final = 20  # names that a sentence tells


@dataclass(frozen=True, slots=True)
class Looked:
    """A file that was read, and what it was like then."""

    signature: Signature
    facts: Facts


@dataclass(frozen=True, slots=True)
class Words:
    """What is said, as it was said."""

    faces: Sequence[str] = ()
    presets: Sequence[str] = ()
    matrix: bool = False  # where no face is named: all of them
    priority: object = None
    not_before: object = None
    own: str | None = None  # what photos that come along are called; they are the face


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of each target: a job with each of the faces under each of the presets."""

    faces: tuple[str, ...]
    presets: tuple[str, ...]
    rule: str  # why these faces
    named: bool  # whether presets were named
    wish: Wish = NOTHING  # priority and not_before


def order_of(words: Words, rules: Rules, known: Known, usual: str) -> Order | Mistake:
    """What the words ask for. `usual` is the preset where none is named."""
    wish = _understood({"priority": words.priority, "not_before": words.not_before}, known)
    if isinstance(wish, Mistake):
        return wish
    presets: dict[str, None] = {}
    for preset in words.presets:
        one = _understood({"preset": preset}, known)
        if isinstance(one, Mistake):
            return one
        presets[one.preset or ""] = None
    chosen = _faces(words, rules, known)
    if isinstance(chosen, Mistake):
        return chosen
    faces, rule = chosen
    jobs = len(faces) * max(1, len(presets))
    if jobs > MOST_JOBS:
        return Mistake(f"{jobs:,} jobs of each target are more than {MOST_JOBS:,}: name fewer faces or presets.")
    return Order(faces, tuple(presets) or (usual,), rule, bool(presets), wish)


def _faces(words: Words, rules: Rules, known: Known) -> tuple[tuple[str, ...], str] | Mistake:
    """The faces, and why these."""
    if words.own is not None:
        return (words.own,), "its photos came with it"
    faces: dict[str, str] = {}
    for face in words.faces:
        one = _understood({"face": face}, known)
        if isinstance(one, Mistake):
            return one
        faces.setdefault(fold(one.face or ""), one.face or "")
    return (tuple(faces.values()), "it was submitted with this face") if faces else _unnamed(rules, every=words.matrix)


def _unnamed(rules: Rules, *, every: bool) -> tuple[tuple[str, ...], str] | Mistake:
    """The faces where none is named: all of them, or the one that is meant by itself."""
    usable = sorted(face.name for face in rules.faces.values() if face.problem is None)
    if not usable:
        return Mistake("There is no face yet: put photos of a person into the folder of the faces.")
    if every:
        return tuple(usable), "it was submitted with every face"
    usual = pair((COMMAND,), rules)
    if usual.face is not None and usual.rule is not None:
        return (usual.face,), f"it was submitted without a face, and {usual.rule}"
    names = ", ".join(usable[:_SHOWN]) + (", ..." if len(usable) > _SHOWN else "")
    why = f"{usual.sentence} " if rules.default_face else ""
    return Mistake(f"{why}Say with --face which of the {len(usable)} faces it is to be ({names}), or --matrix for all.")


def _understood(values: Mapping[str, object], known: Known) -> Wish | Mistake:
    said = understand(COMMAND, {key: value for key, value in values.items() if value is not None}, known)
    return said.wish if isinstance(said, Said) else said
