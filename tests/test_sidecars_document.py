"""docs/sidecars.md says what sidecars can say: its examples are read as the daemon reads them."""

import re
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from faceswapd.core.intake import MENDING_NOTE, Face, Rules, pair
from faceswapd.core.output_name import PLACEHOLDERS
from faceswapd.core.presets import PRESETS
from faceswapd.core.sidecar import DEFAULTS, KEYS, MAP_KEYS, MOST_PERSONS, Known, Mistake, Said, understand
from faceswapd.core.wish import PRIORITIES, Pass, Trim, told
from faceswapd.runtime.intake.sidecars import parsed

DOCUMENT = (Path(__file__).parent.parent / "docs" / "sidecars.md").read_text(encoding="utf-8")
RULES = Rules.of([Face("alice"), Face("bob")], tuple(PRESETS))
KNOWN = Known(RULES.faces, RULES.presets, datetime(2026, 11, 25, 21, 0))  # noqa: DTZ001  as clocks on walls show it
BLOCKS = re.findall(r"```(toml|json)\n(.*?)```", DOCUMENT, re.DOTALL)
ROWS = re.findall(r"^\| `(\w+)` \| (.*) \| (.*) \|$", DOCUMENT, re.MULTILINE)
OF_A_FILE, OF_A_PERSON = ROWS[: len(KEYS)], ROWS[len(KEYS) :]


def said(text: str, kind: str = "toml") -> Said | Mistake:
    values = parsed(text.encode(), f"clip.mp4.{kind}")
    assert not isinstance(values, str), values
    return understand("clip.mp4.toml", values, KNOWN)


def understood(text: str, kind: str = "toml") -> Said:
    answer = said(text, kind)
    assert isinstance(answer, Said), answer
    return answer


def test_the_tables_tell_every_key_and_no_other() -> None:
    assert [name for name, *_ in OF_A_FILE] == list(KEYS)
    assert {name for name, *_ in OF_A_PERSON} == set(MAP_KEYS)


def test_every_key_has_an_example() -> None:
    assert [name for name, _, examples in ROWS if "`" not in examples] == ["map"], "which has a section"


@pytest.mark.parametrize(("name", "examples"), [(name, examples) for name, _, examples in OF_A_FILE])
def test_every_example_of_a_key_is_understood(name: str, examples: str) -> None:
    for example in re.findall(r"`(.+?)`(?:, |$)", examples):
        assert example.startswith(f"{name} = ")
        understood(example)


@pytest.mark.parametrize(("name", "examples"), [(name, examples) for name, _, examples in OF_A_PERSON])
def test_every_example_of_a_person_is_understood(name: str, examples: str) -> None:
    (example,) = re.findall(r"`(.+?)`", examples)
    others = {"face": 'face = "bob"', "position": "position = 2"}
    words = [line for key, line in others.items() if key != name]
    assert understood("\n".join(["[[map]]", *words, example])).wish.passes


@pytest.mark.parametrize(("kind", "text"), BLOCKS, ids=range(len(BLOCKS)))
def test_every_file_that_is_shown_is_understood(kind: str, text: str) -> None:
    understood(text, kind)


def test_what_is_shown_in_both_ways_says_the_same() -> None:
    (toml, json), *_ = pairwise(BLOCKS)
    assert understood(toml[1]).wish == understood(json[1], "json").wish


def test_the_part_and_the_persons_are_those_that_the_text_tells() -> None:
    trims = [wish.trim for wish in (understood(*reversed(block)).wish for block in BLOCKS) if wish.trim]
    assert trims[-1] == Trim(10.0, 25.5)
    (both,) = [answer for block in BLOCKS if (answer := understood(*reversed(block))).wish.passes]
    assert both.wish.passes == (Pass("alice", 0), Pass("bob", 1))
    assert both.moments == (None, 5.0)
    assert f"There can be {MOST_PERSONS} persons." in DOCUMENT


def test_the_mistake_that_is_shown_is_told_so() -> None:
    (shown,) = re.findall(r"```\n(clip\.mp4\.toml: .*)\n```", DOCUMENT)
    assert said('prset = "best"') == Mistake(shown)
    assert f"`{MENDING_NOTE}`" in DOCUMENT


def test_what_explain_shows_is_what_it_says() -> None:
    (shown,) = re.findall(r"```\n(clip\.mp4\.toml says: .*)\n```", DOCUMENT)
    wish = understood('preset = "best"\ntrim = { start = 10, end = 25.5 }').wish
    assert shown == f"clip.mp4.toml says: {'; '.join(told(wish))}"


def test_ranges_placeholders_and_rules_are_all_told() -> None:
    table = DOCUMENT.split("## A part")[0]
    assert f"from {PRIORITIES[0]} to {PRIORITIES[-1]}" in table
    for name in PLACEHOLDERS:
        assert f"`{{{name}}}`" in table
    rules = re.findall(r"^\d\. (.*)$", DOCUMENT, re.MULTILINE)
    known = [line.rpartition(":")[0] for line in pair(("clip.mp4",), RULES).considered]
    known.remove("the file's name asks for a face that does not exist")
    assert len(rules) == len(known)
    for rule, word in zip(rules, ("sidecar", "name", "folder", DEFAULTS, "face*", "default", "only"), strict=True):
        assert word in rule
    for rule, word in zip(known, ("sidecar", "name", "folder", DEFAULTS, "face*", "default", "only"), strict=True):
        assert word in rule
