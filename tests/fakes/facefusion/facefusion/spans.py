"""One option of the command line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_NEVER = (99,)


@dataclass(frozen=True, slots=True)
class Option:
    """An option: what it may be, and which versions know it."""

    name: str  # with underscores
    default: Any = None
    choices: Sequence[Any] | None = None
    span: str = ""  # "0.0..1.0:0.05": its choices, and its place holder in the usage
    listed: bool = False  # whether the usage lists the steps of the span one by one
    kind: Callable[[str], Any] | None = None
    many: bool = False
    free: bool = False  # many, of no choices
    flag: bool = False
    short: str = ""
    metavar: str | None = None
    about: str = ""
    since: tuple[int, ...] = (0,)
    until: tuple[int, ...] = _NEVER

    def arguments(self) -> dict[str, Any]:
        """What argparse is told."""
        told: dict[str, Any] = {"default": self.default, "help": self.about or self.name.replace("_", " ")}
        if self.flag:
            return {**told, "action": "store_true"}
        if self.span:
            number = float if "." in self.span.replace("..", "") else int
            told |= {"type": number, "choices": steps(self.span, number)}
            told |= {} if self.listed else {"metavar": f"[{self.span}]"}
        elif self.choices is not None:
            told |= {"choices": list(self.choices)}
            told |= {"metavar": self.name.upper()} if self.many else {}
        if self.kind:
            told["type"] = self.kind
        if self.many:
            told["nargs"] = "+"
        if self.metavar:
            told["metavar"] = self.metavar
        return told


def steps(span: str, number: type[float] | type[int]) -> list[float]:
    """The values of "0.0..1.0:0.05"."""
    ends, step = span.split(":")
    first, last = ends.split("..")
    count = round((float(last) - float(first)) / float(step))
    return [number(round(float(first) + index * float(step), 2)) for index in range(count + 1)]
