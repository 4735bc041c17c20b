"""Whatever files and folders are called, and whatever faces there are: pairing and settling answer, and never guess."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.intake import (
    Face,
    Parts,
    Rules,
    Signature,
    bundle_photo,
    face_folder,
    fold,
    ignored_file,
    ignored_folder,
    is_photo,
    is_target,
    own_note,
    pair,
    settle,
)

PIECES = (
    *(
        "alice",
        "ALICE",
        "bob",
        "b\u00f6b",
        "bo\u0308b",
        "\u0130stanbul",
        "stra\u00dfe",
        "\u0390",
        "\udcff",
        "\ud800",
        "\ufeff",
    ),
    *(
        "__",
        "_",
        "@",
        "@best",
        "@fast",
        ".",
        "..",
        ".mp4",
        ".MP4",
        ".jpg",
        ".toml",
        ".part",
        "face",
        "source",
        "~",
        " ",
        "\n",
    ),
    *("\u202e", "\0", "\U0001f4a9", "a" * 300, "README.txt", ".needs-face.txt", "@eaDir", "-", "%00", "\\", ":"),
)
NAMES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join) | st.text(
    st.characters(exclude_categories=()), min_size=1, max_size=12
)
TREES = st.lists(NAMES, min_size=1, max_size=5).map(tuple)
FACES = st.builds(Face, NAMES, st.sampled_from([None, None, None, "has no photo"]))
PRESETS = ("fast", "balanced", "best")


@given(TREES, st.lists(FACES, max_size=6), st.sampled_from(["", "alice", "nobody", "\udcff"]), st.data())
def test_a_target_gets_a_face_that_is_there_or_none(
    parts: Parts, faces: list[Face], default: str, data: st.DataObject
) -> None:
    bundles = data.draw(st.sets(st.sampled_from([parts[:end] for end in range(len(parts))]), max_size=2))
    rules = Rules.of(faces, PRESETS, default)
    pairing = pair(parts, rules, bundles)
    assert pairing == pair(parts, Rules.of(faces, PRESETS, default), sorted(bundles))
    assert pairing.sentence
    assert pairing.considered
    assert pairing.preset in (None, *PRESETS)
    assert (pairing.face is None) is (pairing.rule is None)
    if pairing.bundle is not None:
        assert pairing.bundle in bundles
        assert pairing.bundle == parts[:-1]
    elif pairing.face is not None:
        assert rules.faces[fold(pairing.face)].problem is None
    known = {fold(face.name) for face in faces}
    if len(known) == len(faces):  # the order in which a disk lists them says nothing
        assert pair(parts, Rules.of(reversed(faces), PRESETS, default), bundles) == pairing


@given(TREES, st.lists(FACES, max_size=4))
def test_every_name_is_judged(parts: Parts, faces: list[Face]) -> None:
    known = Rules.of(faces, PRESETS).faces
    folder = face_folder(parts, known)
    assert folder is None or folder in known.values()
    judged = [test(parts[-1]) for test in (ignored_file, ignored_folder, is_target, is_photo)]
    assert all(isinstance(one, bool) for one in judged)
    if bundle_photo(parts, known):
        assert is_photo(parts[-1])
        assert not own_note(parts)


SIGNATURES = st.builds(Signature, st.integers(1, 2), st.integers(0, 2), st.integers(0, 2))
LOOKS = st.lists(
    st.tuples(st.floats(0, 9), st.dictionaries(st.sampled_from("abc"), SIGNATURES, max_size=3)), min_size=1, max_size=12
)


def settled(looks: list[tuple[float, dict[str, Signature]]], quiet: float) -> None:
    """Go through the looks: what is ready was the same, in all of them, for the quiet time, and is not empty."""
    now, settling = 100.0, settle({}, {}, 100.0, quiet)
    since: dict[str, tuple[Signature, float]] = {}
    for wait, listing in looks:
        now += wait
        settling = settle(settling.seen, listing, now, quiet)
        since = {
            path: since[path] if path in since and since[path][0] == signature else (signature, now)
            for path, signature in listing.items()
        }
        due = {path: began + quiet for path, (signature, began) in since.items() if signature.size}
        assert set(settling.ready) == {path for path, at in due.items() if at <= now}
        assert settling.next_at == min((at for at in due.values() if at > now), default=None)
        assert set(settling.seen) == set(listing)


@given(LOOKS, st.sampled_from([0.0, 1.0, 5.0]))
def test_what_settles_has_been_still(looks: list[tuple[float, dict[str, Signature]]], quiet: float) -> None:
    settled(looks, quiet)


@pytest.mark.deep
def test_intake_at_length() -> None:
    for test in (
        test_a_target_gets_a_face_that_is_there_or_none,
        test_every_name_is_judged,
        test_what_settles_has_been_still,
    ):
        settings(max_examples=5_000, deadline=None, database=None)(test)()
