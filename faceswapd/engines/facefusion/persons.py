"""One person of several, in FaceFusion's words: the face at a place in a reference frame, and all that are like it."""

from collections.abc import Sequence
from typing import Final

from faceswapd.core.failures import Failure
from faceswapd.engines.engine import EngineFailure, Person
from faceswapd.engines.facefusion.installation import Installation

_MODE, _ORDER, _POSITION, _FRAME = (
    "--face-selector-mode",
    "--face-selector-order",
    "--reference-face-position",
    "--reference-frame-number",
)
# What else would choose among the faces, and so change which one is the second from the left.
_CHOOSE: Final = frozenset(
    {
        "face_selector_mode",
        "face_selector_order",
        "face_selector_gender",
        "face_selector_race",
        "face_selector_age_start",
        "face_selector_age_end",
        "reference_face_position",
        "reference_frame_number",
    }
)
_FROM_ZERO: Final = (3, 7, 0)  # before it, frame 1 is the first one, and 0 as well


def others(options: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """A user's single options without those that a person's place takes the place of."""
    return tuple((name, value) for name, value in options if name not in _CHOOSE)


def selection(person: Person | None, installation: Installation) -> tuple[str, ...]:
    """The arguments that say who is meant. Raises EngineFailure where this version cannot be told."""
    if person is None:
        return ()
    if not all(map(installation.knows, (_MODE, _ORDER, _POSITION, _FRAME))):
        sentence = f"FaceFusion {installation.label} cannot be told which one of several persons is meant."
        raise EngineFailure(Failure("option_unknown", sentence))
    frame = person.frame if installation.version >= _FROM_ZERO else person.frame + 1
    return (
        *(_MODE, "reference", _ORDER, "left-right"),
        *(_POSITION, str(person.position)),
        *(_FRAME, str(frame)),
    )
