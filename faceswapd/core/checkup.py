"""What a look at the whole house finds: each finding is a sentence, and where something is to be done, the command."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"  # it works, slower or less well than it could, or not for ever
    PROBLEM = "problem"  # something does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    about: str  # what was looked at, in a word or two: "ffmpeg", "inbox alice"
    sentence: str  # what was found
    command: str | None = None  # what mends it, to be typed as it stands


def ok(about: str, sentence: str) -> Finding:
    """Nothing is to be done."""
    return Finding(Level.OK, about, sentence)


def warning(about: str, sentence: str, command: str | None = None) -> Finding:
    """It works, and could be better."""
    return Finding(Level.WARNING, about, sentence, command)


def problem(about: str, sentence: str, command: str | None = None) -> Finding:
    """It does not work."""
    return Finding(Level.PROBLEM, about, sentence, command)


def count(findings: Iterable[Finding], level: Level) -> int:
    """How many of them are of this level."""
    return sum(finding.level is level for finding in findings)


def summary(findings: Iterable[Finding]) -> str:
    """`1 problem, 2 warnings, 14 ok.`; what there is none of is left out."""
    findings = tuple(findings)
    said = []
    for level, one, many in (
        (Level.PROBLEM, "problem", "problems"),
        (Level.WARNING, "warning", "warnings"),
        (Level.OK, "ok", "ok"),
    ):
        number = count(findings, level)
        if number:
            said.append(f"{number} {one if number == 1 else many}")
    return f"{', '.join(said)}." if said else "Nothing was looked at."
