"""The messages about what has happened. Standard library only, as `messages` is."""

from dataclasses import dataclass

from faceswapd.control.job_messages import Event


@dataclass(frozen=True)
class Events:
    """GET /api/events: oldest first. Ids only grow; what is older than `first` was cleared away. Where there are no
    events in it, the next question may ask for those after `last`."""

    events: list[Event]
    first: int  # the ids of the first and the last event that there are, of whatever job; 0: there are none
    last: int
