"""What a sidecar says, and every mistake that can be in one: a table that reads as the specification."""

import json
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.intake import Face, Rules
from faceswapd.core.sidecar import KEYS, LARGEST, Known, Mistake, Said, target_of, understand
from faceswapd.core.wish import NOTHING, Pass, Trim, Wish

RULES = Rules.of([Face("alice"), Face("Bob"), Face("carol", "has no photo yet")], ("fast", "balanced", "best"))
CAME = datetime(2026, 11, 25, 21, 0)  # noqa: DTZ001  as clocks on walls show it
KNOWN = Known(RULES.faces, RULES.presets, CAME)
FILE = "clip.mp4.toml"


def at(*parts: int) -> float:
    return datetime(*parts).timestamp()  # type: ignore[arg-type]  # noqa: DTZ001


def said(text: str) -> Said | Mistake:
    return understand(FILE, tomllib.loads(text), KNOWN)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("", NOTHING),
        ('face = "ALICE"', Wish(face="alice")),
        ('faces = ["bob"]', Wish(face="Bob")),
        ('preset = "Best"', Wish(preset="best")),
        ("priority = -100", Wish(priority=-100)),
        ("not_before = 22:00:00", Wish(not_before=at(2026, 11, 25, 22, 0))),
        ('not_before = "20:30"', Wish(not_before=at(2026, 11, 26, 20, 30))),
        ('not_before = "21:00"', Wish(not_before=at(2026, 11, 26, 21, 0))),
        ("not_before = 2026-12-24", Wish(not_before=at(2026, 12, 24))),
        ("not_before = 2026-12-24T18:00:00", Wish(not_before=at(2026, 12, 24, 18, 0))),
        ("not_before = 2026-12-24T18:00:00Z", Wish(not_before=datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp())),
        ('not_before = "2026-12-24 18:00"', Wish(not_before=at(2026, 12, 24, 18, 0))),
        ("not_before = 1800000000", Wish(not_before=1_800_000_000.0)),
        ('trim = { start = "0:10", end = 25.5 }', Wish(trim=Trim(10.0, 25.5))),
        ('trim.start = "1:02:03"', Wish(trim=Trim(3723.0, None))),
        ('trim.end = "90"', Wish(trim=Trim(0.0, 90.0))),
        ("trim.end = 00:01:30", Wish(trim=Trim(0.0, 90.0))),
        ('output = "{face}/{name}-{preset}{suffix}"', Wish(output="{face}/{name}-{preset}{suffix}")),
        (
            'options = { face_mask_blur = 0.4, face_mask_types = ["box", "occlusion"] }',
            Wish(options=(("face_mask_blur", "0.4"), ("face_mask_types", "box occlusion"))),
        ),
        (
            '[[map]]\nface = "alice"\nposition = 2\n[[map]]\nface = "bob"\nposition = 1\nframe = 7',
            Wish(passes=(Pass("alice", 1, 0), Pass("Bob", 0, 7))),
        ),
    ],
)
def test_what_is_said_is_understood(text: str, wish: Wish) -> None:
    assert said(text) == Said(FILE, wish, (None,) * len(wish.passes))


def test_the_frame_of_a_person_can_be_told_in_seconds() -> None:
    answer = said('[[map]]\nface = "alice"\nposition = 1\nat = "0:02.5"')
    assert answer == Said(FILE, Wish(passes=(Pass("alice", 0, 0),)), (2.5,))


MISTAKES = [
    ('prset = "best"', 'prset = "best": there is no such key; did you mean preset.'),
    ("webhook = 1", f"webhook = 1: there is no such key; the keys are {', '.join(KEYS)}."),
    ('face = "alise"', 'face = "alise": there is no such face; did you mean alice.'),
    ('face = "zoe"', 'face = "zoe": there is no such face; there are Bob, alice.'),
    ('face = "carol"', 'face = "carol": this face has no photo yet.'),
    ("face = 7", "face = 7: write a text in quotation marks."),
    ("face = true", "face = true: write a text in quotation marks."),
    ('faces = "alice"', 'faces = "alice": write it as `face`.'),
    (
        'faces = ["alice", "bob"]',
        "for several persons in one target use [[map]], for several results `faceswapctl submit`.",
    ),
    ('face = "alice"\nfaces = ["bob"]', 'faces = ["bob"]: `face` is there already; say one of them.'),
    ('preset = "bests"', 'preset = "bests": there is no such preset; did you mean best.'),
    ("priority = 101", "priority = 101: write a whole number from -100 to 100."),
    ("priority = 1.5", "priority = 1.5: write a whole number from -100 to 100."),
    ("priority = true", "priority = true: write a whole number from -100 to 100."),
    ('not_before = "soon"', 'not_before = "soon": write a date and time, or a time of the day, such as'),
    ("not_before = -1", "not_before = -1: write a date and time"),
    ("not_before = inf", "not_before = inf: write a date and time"),
    ("not_before = 0001-01-01", "not_before = 0001-01-01: write a date and time"),
    ("trim = 5", 'trim = 5: write a table, such as trim = { start = "0:10", end = 25.5 }.'),
    ("trim = {}", "trim = {...}: say its start, its end, or both."),
    ("trim = { begin = 1 }", "trim.begin = 1: there is no such key; the keys are start, end."),
    ("trim = { start = -1 }", "trim.start = -1: write seconds"),
    ("trim = { start = nan }", "trim.start = nan: write seconds"),
    ('trim = { start = "0:75" }', 'trim.start = "0:75": write seconds'),
    ("trim = { start = 5, end = 5 }", "trim.end = 5: it must come after the start."),
    ('output = "{name}"', 'output = "{name}": it must end in a name and {suffix}'),
    ('output = "../{name}{suffix}"', 'output = "../{name}{suffix}": it must stay below the outbox'),
    ('output = "/etc/{name}{suffix}"', 'output = "/etc/{name}{suffix}": it must stay below the outbox'),
    ('output = ".faceswapd/{name}{suffix}"', 'output = ".faceswapd/{name}{suffix}": it must stay below the outbox'),
    ('output = "{name.__class__}{suffix}"', "there is no placeholder {name.__class__} to be used so"),
    ('output = "{job:>999999999}{suffix}"', "there is no placeholder {job} to be used so"),
    ('output = "{nome}{suffix}"', "there is no placeholder {nome} to be used so"),
    ('output = "{name{suffix}"', 'output = "{name{suffix}": it cannot be used'),
    ("options = 1", "options = 1: write a table"),
    ("options = { face_mask_blurr = 1 }", "options.face_mask_blurr = 1: this is no option that a preset or a job can"),
    ("options = { face_mask_blur = 7 }", "options.face_mask_blur = 7: it must be a number from 0 to 1."),
    ("options = { face_mask_blur = true }", "options.face_mask_blur = true: write a text, a number, or a list"),
    ('options = { processors = "face_enhancer" }', "face_swapper must be among them"),
    ("map = 1", "map = 1: write one [[map]] for each person, with `face` and `position`."),
    ("map = []", "map = []: write one [[map]] for each person, with `face` and `position`."),
    ('[[map]]\nface = "alice"', 'map 1: position = "": say the position'),
    ("[[map]]\nposition = 1", 'map 1: face = "": say the face'),
    ('[[map]]\nface = "alice"\nposition = 0', "map 1: position = 0: write a whole number from 1 on"),
    ('[[map]]\nface = "alice"\nposition = 1\nframe = -1', "map 1: frame = -1: write a whole number from 0 on"),
    ('[[map]]\nface = "alice"\nposition = 1\nframe = 1\nat = 1', "map 1: at = 1: `frame` is there already"),
    ('[[map]]\nface = "nobody"\nposition = 1', 'map 1: face = "nobody": there is no such face'),
    ('[[map]]\nface = "alice"\npositon = 1', "map 1: positon = 1: there is no such key; did you mean position."),
    (
        '[[map]]\nface = "alice"\nposition = 1\n[[map]]\nface = "bob"\nposition = 1',
        "map 2: position = 1: this person has a face already.",
    ),
    (
        'face = "bob"\n[[map]]\nface = "alice"\nposition = 1',
        'face = "Bob": [[map]] names the faces already; say one or the other.',
    ),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_every_mistake_is_named_with_its_file_its_key_its_value_and_what_is_right(text: str, sentence: str) -> None:
    answer = said(text)
    assert isinstance(answer, Mistake)
    assert answer.sentence.startswith(f"{FILE}: ")
    assert sentence in answer.sentence
    assert answer.sentence.endswith(".")
    assert "\n" not in answer.sentence


def test_more_persons_than_there_can_be_is_a_mistake() -> None:
    answer = said("".join(f'[[map]]\nface = "alice"\nposition = {number}\n' for number in range(1, 18)))
    assert answer == Mistake(f"{FILE}: map = 17: there can be 16 persons at most.")


def test_a_value_that_is_no_text_for_people_is_shown_on_one_short_line() -> None:
    answer = understand(FILE, {"face": "a\n\x1b[31m\ud800" + "x" * 500}, KNOWN)
    assert isinstance(answer, Mistake)
    assert "a??[31m?xx" in answer.sentence
    assert len(answer.sentence) < 200
    assert answer.sentence.encode()


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("clip.mp4.toml", "clip.mp4"),
        ("clip.mp4.JSON", "clip.mp4"),
        ("photo.JPG.json", "photo.JPG"),
        ("clip.toml", None),
        ("notes.json", None),
        (".mp4.toml", None),
        ("clip.mp4", None),
        ("toml", None),
    ],
)
def test_a_sidecar_has_the_whole_name_of_its_target_before_its_own_ending(name: str, target: str | None) -> None:
    assert target_of(name) == target


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes() | st.times() | st.dates(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(["start", "face"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(), VALUES, max_size=5))
@settings(max_examples=40)
def test_no_value_whatsoever_breaks_it(values: dict[str, Any]) -> None:
    answer = understand(FILE, values, KNOWN)
    assert isinstance(answer, Said) or (answer.sentence.startswith(FILE) and len(answer.sentence) < 1000)


def test_what_json_can_hold_is_understood_alike() -> None:
    values = json.loads('{"face": "alice", "not_before": "22:00", "trim": {"start": 1}, "options": {}}')
    assert understand(FILE, values, KNOWN) == Said(
        FILE, Wish("alice", not_before=at(2026, 11, 25, 22, 0), trim=Trim(1.0))
    )
    assert LARGEST == 65536
