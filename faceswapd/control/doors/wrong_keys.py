"""Which addresses have come with wrong keys of late."""

import ipaddress
from collections import OrderedDict, deque
from typing import Final

MOST_FAILURES: Final = 20  # of one address
FAILURE_SECONDS: Final = 60.0  # in so many
MOST_ADDRESSES: Final = 10_000  # that are remembered


class WrongKeys:
    """A bounded memory of them."""

    def __init__(self) -> None:
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, address: str, now: float) -> None:
        """One more."""
        times = self._times.setdefault(_network_of(address), deque(maxlen=MOST_FAILURES))
        times.append(now)
        self._times.move_to_end(_network_of(address))
        while len(self._times) > MOST_ADDRESSES:
            self._times.popitem(last=False)

    def wait(self, address: str, now: float) -> float:
        """Seconds until this address may try again; 0: now."""
        times = self._times.get(_network_of(address))
        if times is None or len(times) < MOST_FAILURES:
            return 0.0
        return max(0.0, times[0] + FAILURE_SECONDS - now)


def _network_of(address: str) -> str:
    """One machine owns 2^64 addresses of IPv6."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    return str(ipaddress.ip_network((known, 64), strict=False))
