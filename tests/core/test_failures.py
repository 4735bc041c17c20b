import re

import pytest

from faceswapd.core.failures import CATALOGUE, Failure, FailureClass, usual


def plain(sentences: str) -> None:
    assert sentences.endswith(".")
    for sentence in re.split(r"(?<=\.) ", sentences):
        assert re.fullmatch(r"[A-Z].{8,}\.", sentence), sentence
        assert not re.search(r"error|exception|errno|None|\{|\}|!|\n", sentence, re.IGNORECASE), sentence


@pytest.mark.parametrize("name", CATALOGUE)
def test_sentence_advice_and_cause_are_plain_sentences(name: str) -> None:
    one = CATALOGUE[name]
    plain(one.sentence)
    plain(one.advice)
    if one.cause:
        plain(one.cause)


@pytest.mark.parametrize("name", CATALOGUE)
def test_advice_says_whether_it_goes_on_by_itself(name: str) -> None:
    """What is tried again needs nobody; what is not must tell what somebody can do."""
    one = CATALOGUE[name]
    if one.failure_class is FailureClass.TRANSIENT:
        assert one.advice.startswith("It is tried again by itself.")
    else:
        assert "tried again" not in one.advice


def test_the_catalogue_covers_what_users_meet() -> None:
    assert len(CATALOGUE) >= 40
    assert all(re.fullmatch(r"[a-z]+[a-z0-9_]*", name) for name in CATALOGUE)


def test_every_class_is_in_use() -> None:
    assert {one.failure_class for one in CATALOGUE.values()} == set(FailureClass)


@pytest.mark.parametrize(
    ("name", "failure_class"),
    [
        ("target_unreadable", FailureClass.PERMANENT),
        ("content_declined", FailureClass.PERMANENT),
        ("no_source_face", FailureClass.PERMANENT),
        ("child_died", FailureClass.TRANSIENT),
        ("stalled", FailureClass.TRANSIENT),
        ("out_of_memory", FailureClass.RESOURCE),
        ("gpu_oom", FailureClass.RESOURCE),
        ("killed", FailureClass.RESOURCE),
        ("disk_full", FailureClass.ENVIRONMENT),
        ("child_start", FailureClass.ENVIRONMENT),
        ("engine_altered", FailureClass.ENVIRONMENT),
        ("model_missing", FailureClass.ENVIRONMENT),
    ],
)
def test_the_class_is_that_of_the_category(name: str, failure_class: FailureClass) -> None:
    assert Failure(name, "It went wrong.").failure_class is failure_class


def test_the_link_leads_to_the_category() -> None:
    assert Failure("gpu_oom", "It went wrong.").link == "docs/failures.md#gpu-oom"


def test_where_nothing_is_known_the_usual_sentence_is_said() -> None:
    assert usual("gpu_oom") == Failure("gpu_oom", CATALOGUE["gpu_oom"].sentence)


def test_a_category_that_is_not_known_is_treated_as_unknown() -> None:
    """A newer ledger, or an engine that names one of its own."""
    failure = Failure("meteor", "A meteor fell.")
    assert failure.failure_class is CATALOGUE["unknown"].failure_class
    assert failure.advice == CATALOGUE["unknown"].advice
    assert failure.link == "docs/failures.md#unknown"
