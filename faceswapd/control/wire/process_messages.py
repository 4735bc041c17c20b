"""What is said about a target that was sent. Standard library only."""

from typing import NamedTuple


class Processing(NamedTuple):
    """POST /api/process."""

    job_id: int
    status: str  # the job's state
    estimated_time: float | None  # seconds until it is done, if nothing holds it; None: nobody knows


class JobProgress(NamedTuple):
    """GET /api/status/NUMBER."""

    job_id: int
    status: str  # the job's state
    progress: float  # 0 to 1
    estimated_time: float | None  # seconds until it is done, if nothing holds it; None: nobody knows
    output_url: str | None  # where the output is given out, once there is one
    error: str | None  # why it failed, was cancelled, or is parked


class Sent(NamedTuple):
    """POST /api/uploads and GET /api/uploads/ID."""

    id: str  # for the field `upload` of POST /api/process
    offset: int  # bytes that have come
    length: int  # bytes that it will have
