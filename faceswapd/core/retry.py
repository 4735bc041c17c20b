"""What becomes of a segment whose execution failed."""

from dataclasses import dataclass

from faceswapd.core.failures import Failure, FailureClass
from faceswapd.core.job import MAX_INTERRUPTIONS

SPREAD = 0.25  # a wait is this much shorter or longer, by chance


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when. The n-th wait is about `first * factor ** (n - 1)`, never more than `longest`, in seconds."""

    attempts: int
    first: float
    factor: float
    longest: float


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Back into the queue, not before some seconds have passed."""

    seconds: float
    spends_attempt: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The job has failed."""

    failure: Failure


def after_failure(failure: Failure, attempt: int, policy: RetryPolicy, chance: float) -> TryAgain | GiveUp:
    """Decide. `attempt` is the number of the execution that failed, from 1; `chance` is a random number from
    0 to 1 that spreads the waits, so that what failed together does not return together."""
    match failure.failure_class:
        case FailureClass.PERMANENT:
            return GiveUp(failure)
        case FailureClass.ENVIRONMENT:  # not the job's fault: it waits as long as it takes
            return TryAgain(_wait(1, policy, chance), spends_attempt=False)
        case _ if attempt >= policy.attempts:
            return GiveUp(failure)
        case _:
            return TryAgain(_wait(attempt, policy, chance), spends_attempt=True)


def after_interruption(interruptions: int) -> GiveUp | None:
    """None: back into the queue at once. `interruptions` counts this one."""
    if interruptions < MAX_INTERRUPTIONS:
        return None
    return GiveUp(Failure("interrupted", f"The daemon went down {interruptions} times while this job was running."))


def _wait(attempt: int, policy: RetryPolicy, chance: float) -> float:
    """The longest wait is spread, too: what failed together for long must not return together."""
    most = policy.longest / (1 + SPREAD)
    seconds = min(most, policy.first)
    for _ in range(1, attempt):  # a power would overflow
        seconds = min(most, seconds * policy.factor)
    return float(seconds * (1 - SPREAD + 2 * SPREAD * chance))
