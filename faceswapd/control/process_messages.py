"""What is said about a target that was sent. Standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processing:
    """POST /api/process."""

    job_id: int
    status: str  # the job's state
    estimated_time: float | None  # seconds until it is done, if nothing holds it; None: nobody knows


@dataclass(frozen=True, slots=True)
class Progress:
    """GET /api/status/NUMBER."""

    job_id: int
    status: str  # the job's state
    progress: float  # 0 to 1
    estimated_time: float | None  # seconds until it is done, if nothing holds it; None: nobody knows
    output_url: str | None  # where the output is given out, once there is one
    error: str | None  # why it failed, was cancelled, or is parked


@dataclass(frozen=True, slots=True)
class Sent:
    """POST /api/uploads and GET /api/uploads/ID."""

    id: str  # for the field `upload` of POST /api/process
    offset: int  # bytes that have come
    length: int  # bytes that it will have
