"""Chances that a seed repeats."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

One = TypeVar("One")


class Dice:
    """One generator for all. What depends on the machine's speed is not repeated, only the choices are."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def between(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)

    def number(self, low: int, high: int) -> int:
        """Both ends may come."""
        return self._random.randint(low, high)

    def one(self, choices: Sequence[One]) -> One:
        return self._random.choice(choices)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def wait(self, mean: float) -> float:
        """Seconds to the next of events that come at random, so often on average; never more than four times that."""
        return min(4 * mean, self._random.expovariate(1 / mean))


@dataclass(slots=True)
class Habit:
    """Something that is done again and again, at random."""

    name: str
    mean: float  # seconds between two
    act: Callable[[], None]
    due: float = 0.0  # on the steady clock
    stormy: bool = False  # only in the first part: it ends a life of the daemon
