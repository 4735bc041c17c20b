import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceswapd.core.failures import CATALOGUE, Failure, FailureClass
from faceswapd.core.job import MAX_INTERRUPTIONS
from faceswapd.core.retry import GiveUp, RetryPolicy, TryAgain, after_failure, after_interruption

POLICY = RetryPolicy(attempts=3, first=10, factor=4, longest=900)
MIDDLE = 0.5


def failure(failure_class: FailureClass) -> Failure:
    category = next(name for name, one in CATALOGUE.items() if one.failure_class is failure_class)
    return Failure(category, "It went wrong.")


@pytest.mark.parametrize(
    ("failure_class", "attempt", "expected"),
    [
        (FailureClass.TRANSIENT, 1, TryAgain(10, spends_attempt=True)),
        (FailureClass.TRANSIENT, 2, TryAgain(40, spends_attempt=True)),
        (FailureClass.TRANSIENT, 3, None),
        (FailureClass.TRANSIENT, 4, None),
        (FailureClass.RESOURCE, 1, TryAgain(10, spends_attempt=True)),
        (FailureClass.RESOURCE, 3, None),
        (FailureClass.PERMANENT, 1, None),
        (FailureClass.ENVIRONMENT, 1, TryAgain(10, spends_attempt=False)),
        (FailureClass.ENVIRONMENT, 3, TryAgain(10, spends_attempt=False)),
        (FailureClass.ENVIRONMENT, 1000, TryAgain(10, spends_attempt=False)),
    ],
)
def test_what_becomes_of_a_failure(failure_class: FailureClass, attempt: int, expected: TryAgain | None) -> None:
    failed = failure(failure_class)
    assert after_failure(failed, attempt, POLICY, MIDDLE) == (expected or GiveUp(failed))


@pytest.mark.parametrize(("rung", "higher"), [(0, 1), (3, 4), (4, None)])
def test_a_machine_too_small_is_a_reason_for_the_next_rung_not_for_an_attempt(rung: int, higher: int | None) -> None:
    failed = failure(FailureClass.RESOURCE)
    expected = GiveUp(failed) if higher is None else TryAgain(0.0, spends_attempt=False, rung=higher)
    assert after_failure(failed, 3, POLICY, MIDDLE, rung) == expected


def test_one_attempt_is_one_attempt() -> None:
    failed = failure(FailureClass.TRANSIENT)
    assert after_failure(failed, 1, RetryPolicy(1, 10, 4, 900), MIDDLE) == GiveUp(failed)


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 7.5), (0.5, 10.0), (1.0, 12.5)])
def test_waits_are_spread_by_a_quarter(chance: float, seconds: float) -> None:
    assert after_failure(failure(FailureClass.TRANSIENT), 1, POLICY, chance) == TryAgain(seconds, spends_attempt=True)


@settings(max_examples=40)
@given(
    attempt=st.integers(1, 99),
    chance=st.floats(0, 1),
    first=st.floats(0, 1e6),
    factor=st.floats(1, 1e300),
    longest=st.floats(0, 1e6),
)
def test_a_wait_is_never_longer_than_the_longest(
    attempt: int, chance: float, first: float, factor: float, longest: float
) -> None:
    policy = RetryPolicy(100, first, factor, longest)
    verdict = after_failure(failure(FailureClass.TRANSIENT), attempt, policy, chance)
    assert isinstance(verdict, TryAgain)
    assert 0 <= verdict.seconds <= longest * (1 + 1e-12)


@settings(max_examples=40)
@given(attempt=st.integers(1, 98), chance=st.floats(0, 1))
def test_waits_grow(attempt: int, chance: float) -> None:
    policy = RetryPolicy(100, 10, 4, 900)
    one, next_one = (
        after_failure(failure(FailureClass.TRANSIENT), at, policy, chance) for at in (attempt, attempt + 1)
    )
    assert isinstance(one, TryAgain)
    assert isinstance(next_one, TryAgain)
    assert next_one.seconds >= one.seconds


def test_even_the_longest_waits_are_spread() -> None:
    """What failed together for long must not return at the same second."""
    verdicts = [
        after_failure(failure(FailureClass.TRANSIENT), 50, RetryPolicy(100, 10, 4, 900), n / 10) for n in range(11)
    ]
    waits = [one.seconds for one in verdicts if isinstance(one, TryAgain)]
    assert len(set(waits)) == 11
    assert max(waits) == 900


def test_the_third_interruption_is_a_failure() -> None:
    assert [after_interruption(count) for count in range(1, MAX_INTERRUPTIONS)] == [None, None]
    given_up = after_interruption(MAX_INTERRUPTIONS)
    assert given_up is not None
    assert given_up.failure == Failure("interrupted", "The daemon went down 3 times while this job was running.")
