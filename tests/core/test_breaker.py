import pytest

from faceswapd.core.breaker import CLOSED, Breaker, after_failure, after_success
from faceswapd.core.failures import Failure
from faceswapd.core.retry import RetryPolicy

POLICY = RetryPolicy(attempts=3, first=10, factor=4, longest=100)
NOW = 1_000.0
BROKEN = Failure("disk_full", "The disk is full.")
DIED = Failure("child_died", "The engine died.")
BAD_FILE = Failure("no_source_face", "There is no face.")
LONG, SHORT = 60.0, 0.5  # seconds that an execution took


def failed(breaker: Breaker, *failures: tuple[Failure, int, float]) -> Breaker:
    """Failures one after the other; while the breaker is open each is the probe's."""
    for failure, job, seconds in failures:
        ended = max(NOW, breaker.probe_at + seconds)
        breaker = after_failure(breaker, failure, job, seconds, ended, POLICY)
    return breaker


def test_closed_it_holds_nothing() -> None:
    assert CLOSED.allowance(NOW, running=7) is None


def test_a_broken_environment_opens_it_at_once() -> None:
    breaker = failed(CLOSED, (BROKEN, 1, LONG))
    assert breaker.failure == BROKEN
    assert breaker.opened_at == NOW
    assert breaker.allowance(NOW, running=0) == 0


def test_after_the_wait_one_job_tries_alone() -> None:
    breaker = failed(CLOSED, (BROKEN, 1, LONG))
    assert NOW < breaker.probe_at <= NOW + POLICY.first
    assert breaker.allowance(breaker.probe_at, running=0) == 1
    assert breaker.allowance(breaker.probe_at, running=1) == 0


def test_each_probe_that_fails_makes_the_wait_longer_up_to_the_longest() -> None:
    breaker, waits = failed(CLOSED, (BROKEN, 1, LONG)), [7.5]
    for _ in range(4):
        before = breaker.probe_at
        breaker = failed(breaker, (BROKEN, 1, LONG))
        waits.append(breaker.probe_at - (before + LONG))
    assert waits == [7.5, 30.0, 60.0, 60.0, 60.0]
    assert breaker.probes == 4
    assert breaker.opened_at == NOW


def test_one_that_ran_already_when_it_opened_is_no_probe() -> None:
    breaker = failed(CLOSED, (BROKEN, 1, LONG))
    assert after_failure(breaker, BROKEN, 2, LONG, NOW + 1, POLICY) == breaker


@pytest.mark.parametrize("failure", [BAD_FILE, Failure("gpu_oom", "It was too large.")], ids=lambda one: one.category)
def test_a_failure_of_the_job_itself_shows_that_the_environment_is_mended(failure: Failure) -> None:
    assert failed(CLOSED, (BROKEN, 1, LONG), (failure, 2, SHORT)) == CLOSED


def test_a_success_closes_it() -> None:
    assert after_success(failed(CLOSED, (BROKEN, 1, LONG))) == CLOSED


@pytest.mark.parametrize(
    ("jobs", "opened"),
    [
        ([(DIED, 1, SHORT), (DIED, 2, SHORT), (DIED, 3, SHORT)], True),
        ([(DIED, 1, SHORT), (DIED, 2, SHORT)], False),
        ([(DIED, 1, SHORT), (DIED, 1, SHORT), (DIED, 1, SHORT)], False),
        ([(DIED, 1, SHORT), (DIED, 2, SHORT), (DIED, 3, LONG)], False),
        ([(DIED, 1, SHORT), (BAD_FILE, 4, SHORT), (DIED, 2, SHORT), (DIED, 3, SHORT)], False),
    ],
    ids=["three jobs", "two jobs", "one job", "one worked", "one was bad by itself"],
)
def test_different_jobs_that_fail_at_once_open_it(jobs: list[tuple[Failure, int, float]], opened: bool) -> None:  # noqa: FBT001
    breaker = failed(CLOSED, *jobs)
    assert (breaker.failure is not None) is opened
    if breaker.failure is not None:
        assert breaker.failure.category == "fast_fail"
        assert "The engine died." in breaker.failure.sentence


def test_a_probe_that_does_no_work_leaves_it_open_for_the_same_reason() -> None:
    breaker = failed(CLOSED, (BROKEN, 1, LONG), (DIED, 2, SHORT))
    assert breaker.failure == BROKEN
    assert breaker.probes == 1
