"""The messages about what has happened. Standard library only, as `messages` is."""

from collections.abc import Sequence
from typing import NamedTuple

from faceswapd.control.wire.job_messages import Event


class Events(NamedTuple):
    """GET /api/events: oldest first. Ids only grow; what is older than `first` was cleared away. Where there are no
    events in it, the next question may ask for those after `last`."""

    events: Sequence[Event]
    first: int  # the ids of the first and the last event that there are, of whatever job; 0: there are none
    last: int
