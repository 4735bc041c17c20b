"""What becomes of a segment whose execution failed."""

from dataclasses import dataclass

from faceswapd.core.failures import Failure, FailureClass
from faceswapd.core.job import MAX_INTERRUPTIONS
from faceswapd.core.ladder import next_rung

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
    rung: int | None = None  # of the resource ladder, for the next attempt; None: the same as before


@dataclass(frozen=True, slots=True)
class GiveUp:
    """The job has failed."""

    failure: Failure


def after_failure(
    failure: Failure, attempt: int, policy: RetryPolicy, chance: float, rung: int | None = None
) -> TryAgain | GiveUp:
    """Decide. `attempt` is the number of the execution that failed, from 1; `chance` is a random number from
    0 to 1 that spreads the waits, so that what failed together does not return together. `rung` is the one of the
    resource ladder that it ran on; None where the engine has no ladder."""
    match failure.failure_class:
        case FailureClass.PERMANENT:
            return GiveUp(failure)
        case FailureClass.ENVIRONMENT:  # not the job's fault: it waits as long as it takes
            return TryAgain(wait(1, policy, chance), spends_attempt=False)
        case FailureClass.RESOURCE if rung is not None:  # smaller, and at once; at the top it has failed
            higher = next_rung(rung)
            return GiveUp(failure) if higher is None else TryAgain(0.0, spends_attempt=False, rung=higher)
        case _ if attempt >= policy.attempts:
            return GiveUp(failure)
        case _:
            return TryAgain(wait(attempt, policy, chance), spends_attempt=True)


def after_interruption(interruptions: int) -> GiveUp | None:
    """None: back into the queue at once. `interruptions` counts this one."""
    if interruptions < MAX_INTERRUPTIONS:
        return None
    return GiveUp(Failure("interrupted", f"The daemon went down {interruptions} times while this job was running."))


def wait(attempt: int, policy: RetryPolicy, chance: float) -> float:
    """Seconds before the attempt after this one. The longest wait is spread, too: what failed together for long must
    not return together."""
    most = policy.longest / (1 + SPREAD)
    seconds = min(most, policy.first)
    for _ in range(1, attempt):  # a power would overflow
        seconds = min(most, seconds * policy.factor)
    return float(seconds * (1 - SPREAD + 2 * SPREAD * chance))
