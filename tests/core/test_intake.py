import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.intake import (
    Face,
    Pairing,
    Parts,
    Rules,
    Seen,
    Settling,
    Signature,
    bundle_photo,
    fold,
    ignored_file,
    ignored_folder,
    is_photo,
    is_target,
    kept,
    own_note,
    pair,
    settle,
)

QUIET = 3.0
PRESETS = ("fast", "balanced", "best")


def sig(size: int = 100, inode: int = 1, modified: int = 1) -> Signature:
    return Signature(inode, size, modified)


class Watch:
    """Looks at a listing again and again, and hands on what was seen."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}

    def look(self, at: float, **listing: Signature) -> Settling:
        settling = settle(self.seen, listing, at, QUIET)
        self.seen = dict(settling.seen)
        return settling


def test_a_file_is_ready_after_the_quiet_time() -> None:
    watch = Watch()
    assert watch.look(10, a=sig()) == Settling({"a": Seen(sig(), 10)}, (), 13)
    assert watch.look(12.9, a=sig()).ready == ()
    assert watch.look(13, a=sig()).ready == ("a",)
    assert watch.look(20, a=sig()) == Settling({"a": Seen(sig(), 10)}, ("a",), None)


@pytest.mark.parametrize("changed", [sig(size=101), sig(inode=2), sig(modified=2)], ids=["size", "inode", "mtime"])
def test_any_change_begins_the_quiet_time_anew(changed: Signature) -> None:
    watch = Watch()
    watch.look(10, a=sig())
    assert watch.look(12, a=changed).next_at == 15
    assert watch.look(14.9, a=changed).ready == ()
    assert watch.look(15, a=changed).ready == ("a",)


def test_a_file_that_grows_for_long_is_ready_only_afterwards() -> None:
    watch = Watch()
    assert all(watch.look(second, a=sig(size=second)).ready == () for second in range(1, 21))
    assert watch.look(23, a=sig(size=20)).ready == ("a",)


def test_a_file_that_vanishes_is_forgotten_and_settles_anew() -> None:
    watch = Watch()
    watch.look(10, a=sig())
    assert watch.look(11) == Settling({}, (), None)
    assert watch.look(13, a=sig()).ready == ()
    assert watch.look(16, a=sig()).ready == ("a",)


def test_an_empty_file_is_never_ready_and_nothing_waits_for_it() -> None:
    watch = Watch()
    assert watch.look(10, a=sig(size=0)).next_at is None
    assert watch.look(1000, a=sig(size=0)).ready == ()


def test_all_files_settle_side_by_side() -> None:
    watch = Watch()
    watch.look(10, a=sig(), b=sig())
    watch.look(11, a=sig(), b=sig(), c=sig())
    assert watch.look(13, a=sig(), b=sig(), c=sig()) == Settling(watch.seen, ("a", "b"), 14)
    assert watch.look(14, a=sig(), b=sig(), c=sig()).ready == ("a", "b", "c")


def test_no_quiet_time_means_at_once() -> None:
    assert settle({}, {"a": sig()}, 10, 0).ready == ("a",)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.01, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_a_ready_file_was_unchanged_for_the_quiet_time(looks: list[tuple[float, int]]) -> None:
    watch, now, changed, last = Watch(), 0.0, 0.0, -1
    for wait, size in looks:
        now += wait
        if size != last:
            changed, last = now, size
        ready = watch.look(now, a=sig(size=size)).ready
        assert bool(ready) == (size > 0 and changed + QUIET <= now)


def rules(*names: str, default: str = "", **problems: str) -> Rules:
    return Rules.of(
        [*(Face(name) for name in names), *(Face(name, why) for name, why in problems.items())], PRESETS, default
    )


TWO = rules("alice", "bob")
SIDECAR = "its sidecar says so"
DEFAULTS = "the defaults of its folder (.faceswapd.toml) say so"
PREFIX = "the file's name begins with the face's name and two underscores"
FOLDER = "it lies in the folder with the face's name"
BUNDLE = "photos named face* or source* lie beside it"
DEFAULT = "it is the default face"
ONLY = "it is the only face"


@pytest.mark.parametrize(
    ("path", "known", "bundles", "face", "rule"),
    [
        # each rule by itself
        ("alice__clip.mp4", TWO, [], "alice", PREFIX),
        ("alice/clip.mp4", TWO, [], "alice", FOLDER),
        ("trip/clip.mp4", TWO, [("trip",)], "trip", BUNDLE),
        ("clip.mp4", rules("alice", "bob", default="bob"), [], "bob", DEFAULT),
        ("clip.mp4", rules("alice"), [], "alice", ONLY),
        # the earlier rule wins over each later one
        ("bob/alice__clip.mp4", TWO, [], "alice", PREFIX),
        ("trip/alice__clip.mp4", TWO, [("trip",)], "alice", PREFIX),
        ("alice/trip/clip.mp4", TWO, [("alice", "trip")], "alice", FOLDER),
        ("alice/clip.mp4", rules("alice", "bob", default="bob"), [], "alice", FOLDER),
        ("trip/clip.mp4", rules("alice", "bob", default="bob"), [("trip",)], "trip", BUNDLE),
        ("trip/clip.mp4", rules("alice"), [("trip",)], "trip", BUNDLE),
        # folders
        ("alice/2024/summer/clip.mp4", TWO, [], "alice", FOLDER),
        ("alice/bob/clip.mp4", TWO, [], "bob", FOLDER),
        ("some/where/clip.mp4", rules("alice"), [], "alice", ONLY),
        # a place that somebody chose says more than underscores that may mean nothing
        ("alice/my__clip.mp4", TWO, [], "alice", FOLDER),
        ("trip/my__clip.mp4", TWO, [("trip",)], "trip", BUNDLE),
        # names: exactly, without case, NFC
        ("ALICE/clip.mp4", TWO, [], "alice", FOLDER),
        ("Alice__clip.MP4", TWO, [], "alice", PREFIX),
        ("Zoe\u0308/clip.mp4", rules("zo\u00eb", "bob"), [], "zo\u00eb", FOLDER),
        ("ZO\u00cb__clip.mp4", rules("zoe\u0308", "bob"), [], "zoe\u0308", PREFIX),
        ("stra\u00dfe/clip.mp4", rules("STRASSE", "bob"), [], "STRASSE", FOLDER),
        # underscores that are no prefix
        ("__clip.mp4", rules("alice"), [], "alice", ONLY),
        ("alice__.mp4", rules("alice"), [], "alice", ONLY),
        ("alice_clip.mp4", rules("alice"), [], "alice", ONLY),
        # one of two can be used
        ("clip.mp4", rules("alice", bob="has no photo yet"), [], "alice", ONLY),
    ],
)
def test_whose_face_a_target_gets(path: str, known: Rules, bundles: list[Parts], face: str, rule: str) -> None:
    found = pair(tuple(path.split("/")), known, bundles)
    assert (found.face, found.rule, found.sentence) == (face, rule, f"It gets the face '{face}': {rule}.")
    assert found.considered[-1] == f"{rule}: {face}"
    assert (found.bundle is not None) == (rule == BUNDLE)


@pytest.mark.parametrize(
    ("path", "known", "sentence"),
    [
        ("clip.mp4", rules(), "There is no face yet."),
        ("clip.mp4", TWO, "It is not said which of the 2 faces it gets."),
        ("joanna/clip.mp4", rules("ann", "bob"), "It is not said which of the 2 faces it gets."),
        ("ann/clip.mp4", rules("joanna", "bob"), "It is not said which of the 2 faces it gets."),
        (
            "joanna__clip.mp4",
            rules("ann"),
            "The face 'joanna' is asked for by the file's name, and there is no such face.",
        ),
        ("carol__clip.mp4", TWO, "The face 'carol' is asked for by the file's name, and there is no such face."),
        (
            "carol__clip.mp4",
            rules("alice", default="alice"),
            "The face 'carol' is asked for by the file's name, and there is no such face.",
        ),
        ("clip.mp4", rules("alice", default="carol"), "The face 'carol' is the default, and does not exist."),
        # a face that cannot be used parks its targets: none of them gets another face
        ("bob__clip.mp4", rules("alice", bob="has no photo yet"), "The face 'bob' has no photo yet."),
        ("bob/clip.mp4", rules("alice", bob="has no photo yet"), "The face 'bob' has no photo yet."),
        ("clip.mp4", rules("alice", default="bob", bob="has no photo yet"), "The face 'bob' has no photo yet."),
        ("clip.mp4", rules(bob="has no photo yet"), "There is no face yet."),
    ],
)
def test_what_is_not_said_is_never_guessed(path: str, known: Rules, sentence: str) -> None:
    found = pair(tuple(path.split("/")), known)
    assert (found.face, found.rule, found.bundle) == (None, None, None)
    assert found.sentence == sentence
    assert found.considered, "`explain` tells what was tried"


def test_a_bundle_names_its_folder() -> None:
    found = pair(("summer", "trip", "clip.mp4"), TWO, [("summer", "trip")])
    assert (found.face, found.bundle) == ("summer/trip", ("summer", "trip"))
    assert pair(("summer", "clip.mp4"), TWO, [("summer", "trip")]).face is None, "only what lies beside the photos"


def test_every_rule_is_told_in_order_up_to_the_one_that_matched() -> None:
    told = [line.rpartition(": ")[0] for line in pair(("clip.mp4",), TWO).considered]
    assert told == [
        SIDECAR,
        PREFIX,
        FOLDER,
        DEFAULTS,
        BUNDLE,
        "the file's name asks for a face that does not exist",
        DEFAULT,
        ONLY,
    ]
    assert pair(("alice", "clip.mp4"), TWO).considered == (
        f"{SIDECAR}: no",
        f"{PREFIX}: no",
        f"{FOLDER}: alice",
    )


@pytest.mark.parametrize(
    ("name", "face", "preset"),
    [
        ("clip@best.mp4", None, "best"),
        ("clip@BEST.mp4", None, "best"),
        ("alice__clip@fast.mp4", "alice", "fast"),
        ("alice__clip@home.mp4", "alice", None),
        ("me@home@best.mp4", None, "best"),
        ("clip.best.mp4", None, None),
        ("clip@best", None, "best"),
        ("alice__clip.mp4", "alice", None),
    ],
)
def test_a_name_can_ask_for_a_face_and_a_preset(name: str, face: str | None, preset: str | None) -> None:
    found: Pairing = pair((name,), TWO)
    assert (found.face, found.preset) == (face, preset)


@pytest.mark.parametrize("path", ["carol__clip@best.mp4", "clip@best.mp4"])
def test_a_parked_target_keeps_its_preset(path: str) -> None:
    assert pair((path,), TWO).preset == "best"


def test_a_face_whose_name_is_no_text_is_asked_to_be_renamed() -> None:
    name = b"caf\xe9".decode(errors="surrogateescape")
    found = pair((name, "clip.mp4"), rules(name))
    assert (found.face, found.sentence[-57:]) == (None, "has a name that is not UTF-8; rename its folder or photo.")


# Letters that case and normal form take apart and put together in every way there is.
LETTERS = (
    "aAzZ\u00df\u1e9e\u00eb\u0308\u0301\u0390\u0399\u03b9\u0345"
    "\u1fbc\u0130i\u0149\u01f0\u212b\ufb01\u1100\u1161\U0001f600_"
)


@settings(max_examples=40)
@given(st.text(st.sampled_from(LETTERS), max_size=8))
def test_names_are_compared_without_case_and_normal_form(name: str) -> None:
    assert fold(unicodedata.normalize("NFD", name)) == fold(unicodedata.normalize("NFC", name)) == fold(name)
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("one", "other"), [("\u0390", "\u0399\u0308\u0301"), ("Stra\u00dfe", "STRASSE"), ("\u212bsa", "\u00e5SA")]
)
def test_the_same_name_in_other_letters(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_other_names_are_other_names() -> None:
    assert len({fold(name) for name in ("ann", "anne", "\u00e1nn", "an", "ann ")}) == 5


IGNORED = (
    ".hidden.mp4", "._clip.mp4", ".DS_Store", "~clip.mp4", "~$clip.mp4", "clip.mp4.part", "clip.mp4.crdownload",
    "clip.mp4.download", "clip.mp4.filepart", "clip.mp4.tmp", "clip.mp4.!qB", "CLIP.MP4.PART", "Thumbs.db", "thumbs.DB",
    "desktop.ini", "Desktop.ini",
)  # fmt: skip
TAKEN = (
    "clip.mp4",
    "part.mp4",
    "clip~.mp4",
    "clip.part.mp4",
    "-rf.mp4",
    "tmp",
    "clip\n.mp4",
    "\U0001f600.mp4",
    "thumbs.jpg",
)


@pytest.mark.parametrize("name", IGNORED)
def test_files_that_are_never_taken(name: str) -> None:
    assert ignored_file(name)


@pytest.mark.parametrize("name", TAKEN)
def test_files_that_are_no_litter(name: str) -> None:
    assert not ignored_file(name)


@pytest.mark.parametrize("name", [".stfolder", ".stversions", "@eaDir", "@eadir", "__MACOSX", ".Trashes", ".git"])
def test_folders_that_are_never_looked_into(name: str) -> None:
    assert ignored_folder(name)


@pytest.mark.parametrize("name", ["alice", "stfolder", "macosx", "@alice", "__alice"])
def test_folders_that_are_looked_into(name: str) -> None:
    assert not ignored_folder(name)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("clip.mp4.needs-face.txt", True),
        ("alice/clip.mp4.needs-face.txt", True),
        ("README.txt", True),
        ("alice/README.txt", False),
        ("readme.mp4", False),
        ("clip.mp4", False),
    ],
)
def test_texts_of_the_daemon_itself(path: str, own: bool) -> None:  # noqa: FBT001
    assert own_note(tuple(path.split("/"))) is own


@pytest.mark.parametrize(
    ("path", "photo"),
    [
        ("trip/face.jpg", True),
        ("trip/Face 2.PNG", True),
        ("trip/source-1.webp", True),
        ("trip/deeper/face.jpg", True),
        ("face.jpg", False),
        ("trip/portrait.jpg", False),
        ("trip/face.mp4", False),
        ("trip/face", False),
        ("alice/face.jpg", False),
        ("alice/trip/face.jpg", False),
    ],
)
def test_photos_of_a_bundle(path: str, photo: bool) -> None:  # noqa: FBT001
    """In a folder with a face's name, such a photo is a target like any other."""
    assert bundle_photo(tuple(path.split("/")), TWO.faces) is photo


@pytest.mark.parametrize(
    ("name", "target", "photo"),
    [
        ("clip.mp4", True, False),
        ("CLIP.MOV", True, False),
        ("photo.jpg", True, True),
        ("photo.TIFF", True, True),
        ("notes.txt", False, False),
        ("mp4", False, False),
        (".mp4", False, False),
        ("clip.", False, False),
    ],
)
def test_targets_and_photos_by_their_ending(name: str, target: bool, photo: bool) -> None:  # noqa: FBT001
    assert (is_target(name), is_photo(name)) == (target, photo)


def test_a_signature_fits_the_ledger_however_a_file_system_counts() -> None:
    numbers = (0, 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63))
    assert len({kept(number) for number in numbers[:5]}) == 5, "no two files of one file system become one"
    far = [kept(number) for number in (*numbers, 10**26, -(10**26))]
    assert all(-(2**63) <= number < 2**63 for number in far)
    assert [kept(number) for number in far] == far, "what comes back from the ledger is the same"
    assert Signature(2**64 - 1, 5, 2**63) == Signature(-1, 5, -(2**63))
    assert kept(1_700_000_000 * 10**9) == 1_700_000_000 * 10**9
