"""What `submit` is asked, as a table."""

from datetime import datetime

import pytest

from faceswapd.core.intake import Face, Rules
from faceswapd.core.sidecar import Known, Mistake
from faceswapd.core.submitting import MOST_JOBS, Order, Words, order_of
from faceswapd.core.wish import NOTHING, Wish

PRESETS = ("fast", "balanced", "best")
CAME = datetime(2026, 3, 1, 21, 0)  # noqa: DTZ001  as clocks on walls show it
ALICE, BOB, CARL = Face("alice"), Face("Bob"), Face("carl", "has no photo yet")


def asked(words: Words, *faces: Face, default: str = "") -> Order | Mistake:
    rules = Rules.of(faces, PRESETS, default)
    return order_of(words, rules, Known(rules.faces, PRESETS, CAME), "balanced")


WITH = "it was submitted with this face"
ONLY = "it was submitted without a face, and it is the only face"
WHEN = 'write a date and time, or a time of the day, such as "22:00" or 2026-12-24T22:00:00'
ALL = "it was submitted with every face"


@pytest.mark.parametrize(
    ("words", "faces", "order"),
    [
        (Words(), [ALICE], Order(("alice",), ("balanced",), ONLY, named=False)),
        (Words(["bob"], ["BEST"]), [ALICE, BOB], Order(("Bob",), ("best",), WITH, named=True)),
        (
            Words(["alice", "BOB", "bob"], ["fast", "best", "fast"]),
            [ALICE, BOB],
            Order(("alice", "Bob"), ("fast", "best"), WITH, named=True),
        ),
        (Words(matrix=True), [ALICE, BOB, CARL], Order(("Bob", "alice"), ("balanced",), ALL, named=False)),
        (Words(["alice"], matrix=True), [ALICE, BOB], Order(("alice",), ("balanced",), WITH, named=False)),
        (
            Words(["alice"], priority=-5, not_before="22:30"),
            [ALICE],
            Order(
                ("alice",),
                ("balanced",),
                WITH,
                named=False,
                wish=Wish(priority=-5, not_before=datetime(2026, 3, 1, 22, 30).timestamp()),  # noqa: DTZ001
            ),
        ),
    ],
)
def test_what_is_asked(words: Words, faces: list[Face], order: Order) -> None:
    assert asked(words, *faces) == order


def test_the_default_face_is_meant_where_none_is_named() -> None:
    order = asked(Words(), ALICE, BOB, default="bob")
    assert order == Order(
        ("Bob",),
        ("balanced",),
        "it was submitted without a face, and it is the default face",
        named=False,
        wish=NOTHING,
    )


@pytest.mark.parametrize(
    ("words", "faces", "sentence"),
    [
        (Words(), [], "There is no face yet: put photos of a person into the folder of the faces."),
        (Words(matrix=True), [CARL], "There is no face yet: put photos of a person into the folder of the faces."),
        (
            Words(),
            [ALICE, BOB, CARL],
            "Say with --face which of the 2 faces it is to be (Bob, alice), or --matrix for all.",
        ),
        (Words(["alise"]), [ALICE, BOB], 'submit: face = "alise": there is no such face; did you mean alice.'),
        (Words(["carl"]), [ALICE, CARL], 'submit: face = "carl": this face has no photo yet.'),
        (Words(["alice"], ["bets"]), [ALICE], 'submit: preset = "bets": there is no such preset; did you mean best.'),
        (Words(priority=101), [ALICE], "submit: priority = 101: write a whole number from -100 to 100."),
        (Words(priority=True), [ALICE], "submit: priority = true: write a whole number from -100 to 100."),
        (
            Words(not_before="soon"),
            [ALICE],
            f'submit: not_before = "soon": {WHEN}.',
        ),
    ],
)
def test_a_mistake_is_told_in_a_sentence(words: Words, faces: list[Face], sentence: str) -> None:
    assert asked(words, *faces) == Mistake(sentence)


def test_a_default_face_that_is_gone_is_not_replaced_by_another_one() -> None:
    mistake = asked(Words(), ALICE, BOB, default="dora")
    assert isinstance(mistake, Mistake)
    assert mistake.sentence.startswith("The face 'dora' is the default, and does not exist. Say with --face which")


def test_more_jobs_than_anybody_wants_are_refused() -> None:
    faces = [Face(f"face {number}") for number in range(MOST_JOBS // 2 + 1)]
    mistake = asked(Words(presets=["fast", "best"], matrix=True), *faces)
    assert mistake == Mistake("1,002 jobs of each target are more than 1,000: name fewer faces or presets.")
