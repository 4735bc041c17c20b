"""The message about what an engine says. Standard library only, as `messages` is."""

from typing import NamedTuple


class JobLog(NamedTuple):
    """GET /api/jobs/ID/log: what the engine said in the last execution of a job."""

    state: str  # of the job
    execution: int | None  # None: there was none, or none said anything
    attempt: int
    running: bool  # there may be more
    text: str  # lines, each with its end
    start: int  # bytes before the text; more than was asked for: what is between is no longer kept
    next: int  # bytes up to the end of the text: `after` of the next question
