"""Questions on a terminal. Each has a flag, and where nobody can answer, the flag is named instead of waiting."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from faceswapd.ctl.plain import clean

WRONG_USAGE = 2


class Unanswered(Exception):
    """There is nobody to ask, and the flag that would have answered was not given. The text names it."""


class Asker:
    """Asks whoever sits at the terminal. With `yes` every question takes its default."""

    def __init__(self, *, yes: bool, terminal: bool | None = None) -> None:
        self._yes = yes
        self.terminal = (sys.stdin.isatty() and sys.stdout.isatty()) if terminal is None else terminal

    def choose(self, question: str, choices: Sequence[str], flag: str) -> int:
        """Which of the numbered choices; the first is the default. Raises Unanswered."""
        if self._yes:
            return 0
        self._demand(question, flag)
        for number, choice in enumerate(choices, start=1):
            print(f"  {number}  {clean(choice)}")
        while True:
            said = input(f"{question} [1] ").strip() or "1"
            if said.isdecimal() and 1 <= int(said) <= len(choices):
                return int(said) - 1
            print(f"Type a number from 1 to {len(choices)}.")

    def words(self, question: str, default: Sequence[str], known: Sequence[str], flag: str) -> tuple[str, ...]:
        """Some of the known words, with blanks or commas between. Raises Unanswered."""
        if self._yes or not self.terminal:  # the default is as good as any, and changes nothing for ever
            return tuple(default)
        while True:
            said = input(f"{question} [{', '.join(default)}] ").replace(",", " ").split() or list(default)
            unknown = [word for word in said if word not in known]
            if not unknown:
                return tuple(dict.fromkeys(said))
            print(f"There is no {unknown[0]!r}. Known are: {', '.join(known)}. (The flag is {flag}.)")

    def path(self, question: str, default: Path, flag: str) -> Path:
        """A folder. Raises Unanswered."""
        if self._yes:
            return default
        self._demand(question, flag)
        said = input(f"{question} [{clean(str(default))}] ").strip()
        return Path(os.path.expanduser(said)).absolute() if said else default  # noqa: PTH111  raises nothing

    def agree(self, question: str, flag: str, *, by_yes: bool = True) -> bool:
        """Yes or no; there is no default but with `yes`, and only where `by_yes`. Raises Unanswered."""
        if self._yes and by_yes:
            return True
        self._demand(question, flag)
        while True:
            said = input(f"{question} [yes/no] ").strip().lower()
            if said in ("y", "yes"):
                return True
            if said in ("n", "no"):
                return False

    def _demand(self, question: str, flag: str) -> None:
        if not self.terminal:
            raise Unanswered(f"{question.strip()} Nobody can be asked here: say it with {flag}.")
