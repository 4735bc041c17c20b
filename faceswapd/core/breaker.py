"""The breaker: what holds the queue when the surroundings are broken, so that they do not use up one job after another.

Closed, everything starts. A failure of the environment opens it; so do several different jobs in a row that fail
at once, for whatever reason. Open, nothing starts but one job at a time, after a wait that grows: the probe. One
that ends otherwise than by the environment shows that it is mended, and closes the breaker.
"""

from dataclasses import dataclass, replace
from typing import Final

from faceswapd.core.failures import Failure, FailureClass
from faceswapd.core.retry import RetryPolicy, wait

AT_ONCE: Final = 3.0  # seconds; an execution that fails within them did no work
IN_A_ROW: Final = 3  # different jobs


@dataclass(frozen=True, slots=True)
class Breaker:
    """Closed where `failure` is None. Times are seconds on the steady clock, which no clock change moves."""

    failure: Failure | None = None
    opened_at: float = 0.0
    probe_at: float = 0.0
    probes: int = 0  # that failed
    quick: tuple[int, ...] = ()  # jobs that failed at once, one after the other

    def allowance(self, now: float, running: int) -> int | None:
        """How many may start; None: as many as there is room for."""
        if self.failure is None:
            return None
        return 1 if now >= self.probe_at and not running else 0


CLOSED: Final = Breaker()


def after_failure(
    breaker: Breaker, failure: Failure, job: int, seconds: float, now: float, policy: RetryPolicy
) -> Breaker:
    """The breaker after an execution of `job` failed, `seconds` after it began."""
    if breaker.failure is not None and now - seconds < breaker.opened_at:
        return breaker  # it ran already when the breaker opened, and was no probe
    if failure.failure_class is FailureClass.ENVIRONMENT:
        return _opened(breaker, failure, now, policy)
    if failure.failure_class is not FailureClass.TRANSIENT or seconds > AT_ONCE:
        return CLOSED
    if breaker.failure is not None:  # the probe did no work either
        return _opened(breaker, breaker.failure, now, policy)
    quick = (*(one for one in breaker.quick if one != job), job)
    if len(quick) >= IN_A_ROW:
        sentence = f"{len(quick)} jobs in a row failed at once. The last one: {failure.sentence}"
        return _opened(breaker, Failure("fast_fail", sentence), now, policy)
    return replace(breaker, quick=quick)


def after_success(breaker: Breaker) -> Breaker:
    """The breaker after an execution succeeded."""
    del breaker
    return CLOSED


def _opened(breaker: Breaker, failure: Failure, now: float, policy: RetryPolicy) -> Breaker:
    probes = 0 if breaker.failure is None else breaker.probes + 1
    opened_at = now if breaker.failure is None else breaker.opened_at
    # No chance in the wait: there is one breaker, and the jobs that failed come back a little later than the probe.
    return Breaker(failure, opened_at, now + wait(probes + 1, policy, 0.0), probes)
