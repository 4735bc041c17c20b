import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswapd.core.face_name import problem_of
from faceswapd.core.intake import ignored_file, is_target
from faceswapd.core.upload_name import LONGEST, kept_name


@pytest.mark.parametrize("name", ["alice", "Ana María", "李小龍", "J. R. Doe", "o'neill-2", "{name}", "a_b"])
def test_names_that_a_face_can_have(name: str) -> None:
    assert problem_of(name) is None


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", " alice", "alice ", ".", "..", ".alice", "alice.", "~alice", "a/b", "a\\b", "../x", "a\0b", "a\nb"),
        *("a\u202eb", "a\u200bb", "\ud800", "x" * 101, "é" * 51, "a+b", "a:b", "a*", "a?", 'a"', "<a>", "a|b", "a__b"),
        *("con", "NUL", "Com1.jpg", "thumbs.db", "@eaDir", "__MACOSX", "alice.part", "x.tmp"),
    ],
)
def test_names_that_no_face_can_have(name: str) -> None:
    assert problem_of(name) is not None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("clip.mp4", "clip.mp4"),
        ("My Holiday (2024).MOV", "My Holiday (2024).mov"),
        ("é.png", "é.png"),
        ("../../etc/passwd.mp4", "passwd.mp4"),
        ("C:\\Users\\x\\a.jpg", "a.jpg"),
        ("$(rm -rf ~).mp4", "(rm -rf _).mp4"),
        ("{face.__class__}.mp4", "face._class.mp4"),
        ("-rf.mp4", "rf.mp4"),
        (".hidden.mp4", "hidden.mp4"),
        ("a\0b\nc\u202e.mp4", "a_b_c.mp4"),
        ("", "target"),
        ("...", "target"),
        (".mp4", "target.mp4"),
        ("x" * 500 + ".webm", "x" * LONGEST + ".webm"),
        ("no ending", "no ending"),
        ("a.b c", "a.b c"),
    ],
)
def test_the_name_that_a_file_is_kept_under(given: str, kept: str) -> None:
    assert kept_name(given, "target") == kept


@given(st.text())
def test_a_kept_name_is_harmless(given: str) -> None:
    name = kept_name(given, "target")
    assert "/" not in name
    assert name.isprintable()
    assert len(name.encode()) <= LONGEST + 6
    target = kept_name(given + ".mp4", "target")
    assert is_target(target)
    assert not ignored_file(target)
