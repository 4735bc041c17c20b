"""One person of several, in FaceFusion's words."""

from dataclasses import replace
from pathlib import Path

import pytest

from faceswapd.engines.engine import EngineFailure, Person
from faceswapd.engines.facefusion.persons import others, selection
from tests.engines.facefusion.installations import told

KNOWN = told()
SECOND = Person(5, 1, Path("/scratch/target.mp4"))


def test_nobody_in_particular() -> None:
    assert selection(None, KNOWN) == ()


@pytest.mark.parametrize(
    ("version", "frame"),
    [((3, 6, 1), "6"), ((3, 7, 0), "5"), ((3, 8, 1), "5"), ((4, 0, 0), "5")],
    ids=["it counts from one", "3.7", "3.8", "4"],
)
def test_a_place_in_a_frame(version: tuple[int, int, int], frame: str) -> None:
    assert selection(SECOND, told(version)) == (
        *("--face-selector-mode", "reference", "--face-selector-order", "left-right"),
        *("--reference-face-position", "1", "--reference-frame-number", frame),
    )


def test_a_version_that_cannot_be_told_swaps_nobody_else() -> None:
    with pytest.raises(EngineFailure) as raised:
        selection(SECOND, replace(KNOWN, choices={}))
    assert raised.value.failure.category == "option_unknown"


def test_what_would_choose_otherwise_is_left_out() -> None:
    options = (("face_selector_gender", "female"), ("reference_face_distance", "0.4"), ("face_selector_mode", "many"))
    assert others(options) == (("reference_face_distance", "0.4"),)
