"""Whatever stands in a sidecar: a wish, or one sentence that names the file and the mistake. Nothing else."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faceswapd.core.asking import Question, question
from faceswapd.core.intake import Face, Heard, fold
from faceswapd.core.sidecar import KEYS, Known, Mistake, Said, understand
from faceswapd.core.target import Facts, Kind
from faceswapd.core.wish import NOTHING
from faceswapd.ledger.admission import fingerprint
from faceswapd.ledger.records import wish_of, wish_text
from faceswapd.runtime.intake.sidecars import parsed

FACES = (Face("alice"), Face("bob"), Face("b\u00f6b", "has no photo"), Face("\u202ex"))
KNOWN = Known({fold(face.name): face for face in FACES}, ("fast", "balanced", "best"), datetime(2026, 3, 29, 1, 59))  # noqa: DTZ001
FACTS = (
    Facts(Kind.VIDEO, "c", 1000, 64, 48, 100, 4.0, 0, 1),
    Facts(Kind.VIDEO, "c", 1000, 64, 48, 1, None, 0, 1),
    Facts(Kind.IMAGE, "c", 1000, 64, 48, 1, None, 0, 0),
)
INNER = ("start", "end", "face", "position", "frame", "at", "face_mask_blur", "output_path", "nothing", "", "a b", "\n")
PLAIN: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 200),
    st.sampled_from([1 << 70, -(1 << 70), 10**30, 10**400, 1e308, -0.0, 0.4, 25.5]),
    st.floats(),
    st.sampled_from(
        ["alice", "ALICE", "bob", "nobody", "b\u00f6b", "best", "0:10", "1:99", "9999999999:00", "-1", "1e400"]
    ),
    st.sampled_from(
        ["tomorrow 22:00", "2030-01-01T22:00:00", "2030-13-45", "9999-12-31 23:59", "0001-01-01", "22:00", "in 3 h"]
    ),
    st.sampled_from(
        ["{folder}/{name}{suffix}", "../{name}", "/{name}", "{0}", "{", "{name.__class__}", "\ud800", "\0", "x" * 300]
    ),
    st.sampled_from(
        [
            "02:30",
            "\u0662\u0662:\u0660\u0660",
            "24:00",
            "now",
            "",
            " ",
            "\n",
            "nan",
            "inf",
            "1h",
            "5 min",
            "00:00:00.0000001",
        ]
    ),
    st.text(max_size=10),
)
DEEPER: st.SearchStrategy[Any] = st.recursive(
    PLAIN,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.sampled_from(INNER + KEYS), inside, max_size=3),
    max_leaves=8,
)
PASS = st.fixed_dictionaries(
    {},
    optional={
        "face": st.sampled_from(["alice", "bob"]) | PLAIN,
        "position": st.integers(0, 3) | PLAIN,
        "frame": PLAIN,
        "at": PLAIN,
    },
)
WORDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(KEYS, DEEPER),
        "face": PLAIN,
        "not_before": PLAIN,
        "trim": st.dictionaries(st.sampled_from(["start", "end"]), PLAIN, max_size=2),
        "map": st.lists(PASS, max_size=3),
        "nothing": PLAIN,
    },
)


def toml(value: Any) -> str:
    """A value as TOML, or as something that looks like it."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case dict():
            return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case str() if value[:1].isdigit():
            return value  # a date or a time
        case _:
            return json.dumps(value)


def as_json(words: dict[str, Any]) -> bytes:
    return json.dumps(words).encode()


def as_toml(words: dict[str, Any]) -> bytes:
    return "\n".join(f"{key} = {toml(value)}" for key, value in words.items()).encode(errors="surrogatepass")


def judge(data: bytes, name: str) -> None:
    """All that is done with a sidecar's bytes."""
    values = parsed(data, name)
    if isinstance(values, str):
        one_sentence(f"{name}: {values}", name)
        return
    said = understand(name, values, KNOWN)
    if isinstance(said, Mistake):
        one_sentence(said.sentence, name)
        return
    for facts in FACTS:
        for own, folders in ((said, []), (None, [said]), (said, [Said("f/.faceswapd.toml"), said])):
            asked = question(own, folders, facts)
            if isinstance(asked, Mistake):
                one_sentence(asked.sentence, name)
                continue
            assert isinstance(asked, Question)
            for heard in (None, *Heard):
                wish = asked.wish(heard)
                assert fingerprint("c", wish.persons or "alice", wish.preset or "fast", None, wish.options, wish)
                assert (wish_of(wish_text(wish)) == NOTHING) is not bool(wish_text(wish))


def one_sentence(text: str, name: str) -> None:
    """For people, on one line, about this file."""
    assert text.startswith(f"{name}: "), text
    assert text.isprintable(), ascii(text)
    assert text.endswith((".", "?")), text
    assert len(text) < 600, len(text)


USUAL = settings(max_examples=100, deadline=None)
DEEP = [b"[" * 900 + b"]" * 900, b"[" * 400 + b"]" * 400, b"[" * 30_000, b'{"a":' * 500 + b"1" + b"}" * 500]


@pytest.mark.parametrize("value", DEEP, ids=range(len(DEEP)))
@pytest.mark.parametrize("key", KEYS)
def test_what_is_nested_too_deep(key: str, value: bytes) -> None:
    judge(b'{"' + key.encode() + b'": ' + value + b"}", "clip.mp4.json")
    judge(key.encode() + b" = " + value.replace(b'"a":', b"a = "), "clip.mp4.toml")


@USUAL
@given(st.binary(max_size=300), st.sampled_from(["clip.mp4.toml", "clip.mp4.json", "\u202e.mp4.TOML"[1:]]))
@example(b"\xef\xbb\xbfface = 'alice'", "clip.mp4.toml")
@example(b'{"face": "alice", "face": "bob"}', "clip.mp4.json")
@example(b'{"priority": ' + b"9" * 5000 + b"}", "clip.mp4.json")
def test_bytes(data: bytes, name: str) -> None:
    judge(data, name)


@USUAL
@given(WORDS)
def test_json(words: dict[str, Any]) -> None:
    judge(as_json(words), "clip.mp4.json")


@USUAL
@given(WORDS)
def test_toml(words: dict[str, Any]) -> None:
    judge(as_toml(words), "clip.mp4.toml")


@pytest.mark.deep
@settings(max_examples=20_000, deadline=None, database=None)
@given(st.binary(max_size=300) | WORDS.map(as_json) | WORDS.map(as_toml), st.sampled_from(["a.mp4.toml", "a.mp4.json"]))
def test_sidecars_at_length(data: bytes, name: str) -> None:
    judge(data, name)
