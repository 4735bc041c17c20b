"""What is asked of a target, all in all: its sidecar over its folders' defaults, the nearer folder over the farther.

Only here is it known how long the target is, and so whether the part that is wanted, and the frame in which a person is
meant, are in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from faceswapd.core.intake import Heard, Named
from faceswapd.core.moments import shown
from faceswapd.core.sidecar import Mistake, Said
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING, Pass, Trim, Wish

_SLACK: Final = 0.5  # seconds by which an end may lie behind the video's: people round up


@dataclass(frozen=True, slots=True)
class Question:
    """What the sidecar says, and what the folders say together."""

    own: Wish = NOTHING
    folders: Wish = NOTHING

    @property
    def named(self) -> Named:
        """Whom they name, for pairing."""
        return Named(self.own.persons, self.folders.persons)

    def wish(self, heard: Heard | None) -> Wish:
        """The whole wish. Of faces and several persons only that counts which pairing has heard."""
        nobody = replace(self.own.over(self.folders), face=None, passes=())
        if heard is None:
            return nobody
        one = self.own if heard is Heard.SIDECAR else self.folders
        return replace(nobody, face=one.face, passes=one.passes)


NOTHING_ASKED: Final = Question()


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a file, for the answer to `explain`."""

    lines: tuple[str, ...] = ()  # each file with its words
    question: Question = NOTHING_ASKED
    mistake: str | None = None  # a sentence, where it cannot be understood


NOTHING_TOLD: Final = Told()


def question(own: Said | None, folders: Sequence[Said], facts: Facts | None) -> Question | Mistake:
    """What is asked of a target with these facts. `folders`: the nearest one first. Without facts nothing that needs
    them is looked at."""
    if facts is None:
        farther = NOTHING
        for said in reversed(folders):
            farther = said.wish.over(farther)
        return Question(NOTHING if own is None else own.wish, farther)
    together = NOTHING
    for said in reversed(folders):
        wish = _fitted_default(said, facts)
        if isinstance(wish, Mistake):
            return wish
        together = wish.over(together)
    mine = NOTHING if own is None else _fitted(own, facts)
    return mine if isinstance(mine, Mistake) else Question(mine, together)


def _fitted(said: Said, facts: Facts) -> Wish | Mistake:
    """A sidecar's wish for this very target."""
    wish, length = said.wish, facts.duration or 0.0
    if facts.kind is Kind.IMAGE:
        if wish.trim is not None:
            return Mistake(f"{said.file}: trim: an image has no length; take the line out.")
        if any(one.frame for one in wish.passes) or any(said.moments):
            return Mistake(f"{said.file}: map: an image has one frame only; leave `frame` and `at` out.")
        return wish
    if wish.trim is not None:
        long = f"the video is {shown(length)} long"
        if wish.trim.start >= length:
            return Mistake(f"{said.file}: trim.start = {shown(wish.trim.start)}: {long}; begin before its end.")
        if wish.trim.end is not None and wish.trim.end > length + _SLACK:
            return Mistake(
                f"{said.file}: trim.end = {shown(wish.trim.end)}: {long}; leave `end` out to have all of it."
            )
    return _with_frames(said, facts)


def _fitted_default(said: Said, facts: Facts) -> Wish | Mistake:
    """A folder's wish for one of many targets: what an image has no use for is not asked of it, and an end behind a
    short video's own is its own."""
    wish = said.wish
    if facts.kind is Kind.IMAGE:
        return replace(wish, trim=None, passes=tuple(replace(one, frame=0) for one in wish.passes))
    if wish.trim is not None:
        length = facts.duration or 0.0
        if wish.trim.start >= length:
            told = f"the video is {shown(length)} long; begin before its end, or say another trim in its sidecar"
            return Mistake(f"{said.file}: trim.start = {shown(wish.trim.start)}: {told}.")
        if wish.trim.end is not None and wish.trim.end > length:
            said = replace(said, wish=replace(wish, trim=Trim(wish.trim.start)))
    return _with_frames(said, facts)


def _with_frames(said: Said, facts: Facts) -> Wish | Mistake:
    """The frames in which persons are meant, by number, each of them in the part that is wanted."""
    passes: list[Pass] = []
    length, trim = facts.duration or 0.0, said.wish.trim
    for number, (one, at) in enumerate(zip(said.wish.passes, said.moments, strict=True), start=1):
        moment = at if at is not None else one.frame * length / max(1, facts.frames)
        frame = one.frame if at is None else round(at * facts.frames / length) if length else 0
        key, value = ("frame", str(one.frame)) if at is None else ("at", shown(at))
        if frame >= facts.frames:
            told = f"the video has {facts.frames} frames and is {shown(length)} long"
            return Mistake(f"{said.file}: map {number}: {key} = {value}: {told}; the first frame is 0.")
        unsaid = at is None and one.frame == 0  # it is the first one of the part that is wanted
        if (
            trim is not None
            and not unsaid
            and not trim.start <= moment + 1e-6 < (length if trim.end is None else trim.end) + 1e-6
        ):
            told = "this frame is trimmed away; name one that is wanted"
            return Mistake(f"{said.file}: map {number}: {key} = {value}: {told}.")
        passes.append(replace(one, frame=frame))
    return replace(said.wish, passes=tuple(passes))
