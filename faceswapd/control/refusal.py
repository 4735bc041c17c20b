"""A request that is not carried out, and what is said of it."""

from faceswapd.control.wire import messages


class Refused(Exception):
    """An order that cannot be carried out: the HTTP status, what is wrong, what to do, and in how many seconds to ask
    again."""

    def __init__(self, status: int, error: str, advice: str | None = None, wait: float | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.wait = wait
        self.message = messages.Error(error, advice)
