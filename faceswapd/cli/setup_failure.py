"""Why the setup cannot go on."""

from collections.abc import Sequence


class SetupFailed(Exception):
    """The text says why, `advice` what to do, `tail` what a program said last."""

    def __init__(self, sentence: str, advice: str = "", tail: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.advice = advice
        self.tail = tuple(tail)
