import re

import pytest

from faceswapd.core.failures import CATALOGUE, Failure, FailureClass


@pytest.mark.parametrize("name", CATALOGUE)
def test_advice_is_one_or_more_plain_sentences(name: str) -> None:
    advice = Failure(name, "It went wrong.").advice
    assert advice.endswith(".")
    for sentence in re.split(r"(?<=\.) ", advice):
        assert re.fullmatch(r"[A-Z].{8,}\.", sentence), sentence
        assert not re.search(r"error|exception|errno|None|\{|\}|!|\n", sentence, re.IGNORECASE), sentence


@pytest.mark.parametrize("name", CATALOGUE)
def test_advice_says_whether_it_goes_on_by_itself(name: str) -> None:
    """What is tried again needs nobody; what is not must tell what somebody can do."""
    one = CATALOGUE[name]
    if one.failure_class is FailureClass.TRANSIENT:
        assert one.advice.startswith("It is tried again by itself.")
    else:
        assert "tried again" not in one.advice


def test_every_class_is_in_use() -> None:
    assert {one.failure_class for one in CATALOGUE.values()} == set(FailureClass)


@pytest.mark.parametrize(
    ("name", "failure_class"),
    [
        ("target_unreadable", FailureClass.PERMANENT),
        ("child_died", FailureClass.TRANSIENT),
        ("out_of_memory", FailureClass.RESOURCE),
        ("disk_full", FailureClass.ENVIRONMENT),
        ("child_start", FailureClass.ENVIRONMENT),
    ],
)
def test_the_class_is_that_of_the_category(name: str, failure_class: FailureClass) -> None:
    assert Failure(name, "It went wrong.").failure_class is failure_class


def test_a_category_that_is_not_known_is_treated_as_unknown() -> None:
    """A newer ledger, or an engine that names one of its own."""
    failure = Failure("meteor", "A meteor fell.")
    assert failure.failure_class is CATALOGUE["unknown"].failure_class
    assert failure.advice == CATALOGUE["unknown"].advice
