"""A failure: what went wrong this time, and what the catalogue says about its category.

An engine, the media examiner or an execution names a category and says in one sentence what happened
this time; class and advice come from the catalogue, so that each category is treated and explained the
same way everywhere.
"""

from dataclasses import dataclass
from typing import Final

from faceswapd.core.catalogue import CATALOGUE, Category, FailureClass

__all__ = ["CATALOGUE", "FINAL", "Category", "Failure", "FailureClass", "usual"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed: a category of the catalogue and one plain sentence about this case."""

    category: str
    sentence: str

    @property
    def failure_class(self) -> FailureClass:
        """Whether trying again can help."""
        return self._row.failure_class

    @property
    def advice(self) -> str:
        """What the user can do, in one or two sentences."""
        return self._row.advice

    @property
    def link(self) -> str:
        """Where the documents say more about the category."""
        category = self.category if self.category in CATALOGUE else "unknown"
        return f"docs/failures.md#{category.replace('_', '-')}"

    @property
    def _row(self) -> Category:
        return CATALOGUE.get(self.category, CATALOGUE["unknown"])


FINAL: Final = frozenset(name for name, one in CATALOGUE.items() if one.final)


def usual(category: str) -> Failure:
    """The failure of a category of which nothing more exact is known."""
    return Failure(category, CATALOGUE[category].sentence)
