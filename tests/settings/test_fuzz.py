"""Whatever stands in config.toml: it becomes settings, or sentences that name the mistakes."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from faceswapd.settings import Settings, SettingsError, load
from faceswapd.settings.example import example as example_text
from faceswapd.settings.schema import locations

KEYS = [*sorted({part for location in locations() for part in location}), "", "a.b", "_env_file", "é", "x" * 300]
SECTIONS = sorted({".".join(location[:-1]) for location in locations()} | set(KEYS))
VALUES = st.sampled_from(
    [
        *(
            "0",
            "-1",
            "1e400",
            "nan",
            "inf",
            "-inf",
            "9" * 300,
            "true",
            "''",
            '""',
            '"x"',
            '"90 s"',
            '"1e9 d"',
            '"-5 min"',
        ),
        *(
            '"\\u0000"',
            '"~nobody_here/x"',
            '"/"',
            '"."',
            '".."',
            '"{folder}/{nothing}"',
            '"{"',
            '"{0}"',
            '"{name.__class__}"',
        ),
        *(
            "[]",
            "[1, 'a']",
            "{}",
            "{a = {b = 1}}",
            "1979-05-27",
            "07:32:00",
            "1979-05-27T07:32:00Z",
            "[[], [[]]]",
            "0x10",
        ),
        *('"9999999999999 GiB"', '"80%"', '"auto"', '"fast"', '"' + "y" * 5000 + '"', "[{}]", '["/a", "\\u202e"]'),
    ]
)
LINES = st.one_of(
    st.sampled_from(SECTIONS).map(lambda name: f"[{name}]"),
    st.sampled_from(SECTIONS).map(lambda name: f"[[{name}]]"),
    st.tuples(st.sampled_from(KEYS), VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    st.tuples(st.sampled_from(locations()), VALUES).map(lambda pair: f"{'.'.join(pair[0])} = {pair[1]}"),
)
RIGHT = example_text().encode()
TEXTS = st.lists(LINES, max_size=12).map(lambda lines: "\n".join(lines).encode())


def changed(changes: list[tuple[int, bytes]]) -> bytes:
    """A file that was right, with some of its bytes replaced."""
    data = bytearray(RIGHT)
    for at, new in changes:
        data[at : at + len(new)] = new
    return bytes(data)


PLACES = st.tuples(st.integers(0, len(RIGHT) - 1), st.binary(max_size=4))
CHANGED = st.lists(PLACES, min_size=1, max_size=5).map(changed)
DEEP = [
    b"a = " + b"[" * 5000,
    b"a = " + b"{a=" * 3000,
    b"[" + b"a." * 5000 + b"a]\nb = 1",
    b"limits = " + b"[" * 400 + b"]" * 400,
]


def judge(data: bytes) -> None:
    """Settings, or an error whose every problem is one line with its place and its remedy."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.toml"
        config.write_bytes(data)
        try:
            read = load(config)
        except SettingsError as error:
            problems = error.problems
        else:
            assert isinstance(read, Settings)
            return
    assert problems
    for problem in problems:
        assert problem.where
        assert problem.sentence.endswith(".")
        assert problem.remedy


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("FACESWAPD_"):
            monkeypatch.delenv(name)


USUAL = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("data", DEEP, ids=range(len(DEEP)))
def test_what_is_nested_too_deep(data: bytes) -> None:
    judge(data)


@USUAL
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
def test_bytes(data: bytes) -> None:
    judge(data)


@USUAL
@given(TEXTS)
def test_lines_of_known_and_unknown_settings(data: bytes) -> None:
    judge(data)


@USUAL
@given(CHANGED)
def test_a_file_that_was_right(data: bytes) -> None:
    judge(data)


@pytest.mark.deep
@settings(USUAL, max_examples=3000, database=None)
@given(st.binary(max_size=200) | TEXTS | CHANGED)
def test_configurations_at_length(data: bytes) -> None:
    judge(data)
