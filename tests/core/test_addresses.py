import pytest

from faceswapd.core.addresses import private


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "2606:4700::1111"]
)
def test_addresses_of_the_internet(address: str) -> None:
    assert private(address) is None


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1", "this machine"),
        ("127.255.1.2", "this machine"),
        ("::1", "this machine"),
        ("::ffff:127.0.0.1", "this machine"),  # IPv4 in IPv6
        ("::127.0.0.1", "this machine"),
        ("64:ff9b::7f00:1", "this machine"),  # by way of NAT64
        ("64:ff9b::a00:1", "a private network"),
        ("64:ff9b:1::808:808", "a private network"),  # a NAT64 of somebody's own
        ("2002:7f00:1::", "this machine"),  # by way of 6to4
        ("2002:c0a8:101::1", "a private network"),
        ("0.0.0.0", "no machine in particular"),
        ("::", "no machine in particular"),
        ("10.1.2.3", "a private network"),
        ("172.16.0.1", "a private network"),
        ("192.168.1.1", "a private network"),
        ("100.64.0.1", "a private network"),
        ("fd00::1", "a private network"),
        ("fec0::1", "a private network"),
        ("169.254.169.254", "a part of the local network"),  # where clouds tell secrets
        ("fe80::1", "a part of the local network"),
        ("2001:db8::1%eth0", "a part of the local network"),
        ("224.0.0.1", "many machines at once"),
        ("ff02::1", "many machines at once"),
        ("240.0.0.1", "a private network"),
        ("255.255.255.255", "a private network"),
        ("198.18.0.1", "a private network"),
        ("2001:db8::1", "a private network"),
    ],
)
def test_addresses_of_ones_own(address: str, told: str) -> None:
    assert private(address) == told


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="localhost"):
        private("localhost")
