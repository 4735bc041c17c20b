"""Which addresses lie on the internet, and which in a network of one's own."""

import ipaddress
from typing import Final

_NAT64: Final = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_SHARED: Final = ipaddress.IPv4Network("100.64.0.0/10")  # of a provider's customers, and of overlay networks
_SITE: Final = ipaddress.IPv6Network("fec0::/10")  # given up long ago, and still routed here and there


def private(address: str) -> str | None:
    """What an address leads to, if not to the internet; None: it does. Raises ValueError for what is no address."""
    plain, _, zone = address.partition("%")
    return "a part of the local network" if zone else _judged(ipaddress.ip_address(plain))


def _judged(one: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str | None:
    if isinstance(one, ipaddress.IPv6Address):
        found = next((told for inner in _within(one) if (told := _judged(inner)) is not None), None)
        # All that these lead to is within; which of them Python calls private changes with its version.
        if found is not None or one.ipv4_mapped is not None or one.sixtofour is not None or one in _NAT64[0]:
            return found
    kinds = {
        "this machine": one.is_loopback,
        "no machine in particular": one.is_unspecified,
        "a part of the local network": one.is_link_local,
        "many machines at once": one.is_multicast,
        "a private network": one in _SHARED or one in _SITE or one in _NAT64[1] or one.is_private,
        "no place on the internet": not one.is_global or one.is_reserved,
    }
    return next((told for told, so in kinds.items() if so), None)


def _within(one: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses to which an IPv6 one leads."""
    found = [one.ipv4_mapped, one.sixtofour, *(one.teredo or ())]
    if any(one in network for network in _NAT64):
        found.append(ipaddress.IPv4Address(int(one) & 0xFFFFFFFF))
    if int(one) >> 32 == 0 and int(one) > 1:  # "IPv4-compatible", given up long ago
        found.append(ipaddress.IPv4Address(int(one)))
    return [inner for inner in found if inner is not None]
