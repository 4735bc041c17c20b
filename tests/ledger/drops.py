"""Files that are dropped into inboxes, or handed over, by chance."""

from typing import Any

from hypothesis import strategies as st

from faceswapd.core.intake import Signature
from faceswapd.core.job import Parked
from faceswapd.core.wish import Wish
from faceswapd.ledger.admission import Arrival
from tests.ledger.arrivals import arrival, faceless
from tests.ledger.book import Drop

DROPS = st.builds(
    Drop,
    target=st.sampled_from([f"/in/{name}.mp4" for name in "abcde"]),
    inbox=st.sampled_from(["main", "rush"]),
    priority=st.integers(-1, 1),
    preset=st.sampled_from(["balanced", "best"]),
    content=st.sampled_from(["one", "two", "three", "result 1", "result 2", None]),
    face=st.sampled_from(["alice", "alice", "bob", None]),
    not_before=st.sampled_from([None, None, 5.0]),
)
OFFERS = st.builds(
    Drop,
    target=st.sampled_from(["/in/a.mp4", "/clips/a.mp4", "/clips/b.mp4"]),
    inbox=st.just(""),
    priority=st.integers(-1, 1),
    preset=st.sampled_from(["balanced", "best"]),
    content=st.sampled_from(["one", "two", "three", "result 1"]),
    face=st.sampled_from(["alice", "alice", "bob"]),
    not_before=st.sampled_from([None, None, 5.0]),
)


def arrived(drop: Drop) -> Arrival:
    """The drop as the inbox hands it over."""
    given: dict[str, Any] = {
        "target": drop.target,
        "inbox": drop.inbox,
        "priority": drop.priority,
        "preset": drop.preset,
        "signature": Signature(1, 1000, 1),
        "wish": Wish(not_before=drop.not_before, priority=drop.priority or None),
    }
    name = drop.target.rpartition("/")[2]
    if drop.content is None:
        return faceless(name, **given, facts=None, parked=Parked.UNREADABLE)
    if drop.face is None:
        return faceless(name, drop.content, **given)
    return arrival(name, drop.content, **given, face=drop.face)
