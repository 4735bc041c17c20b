"""What the user should know of the daemon as it runs, beside what the ledger tells of jobs."""


class Notices:
    """Sentences by a key, so that one that has become untrue is taken back."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}

    @property
    def all(self) -> tuple[str, ...]:
        """The sentences, the oldest first."""
        return tuple(self._sentences.values())

    def tell(self, key: str, sentence: str | None) -> None:
        """Put one in the place of the one before; None takes it back."""
        if sentence is None:
            self._sentences.pop(key, None)
        else:
            self._sentences[key] = sentence
