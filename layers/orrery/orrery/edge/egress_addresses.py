"""Which addresses of the internet anyone may be asked to call: those that lead to public hosts, and no others.

Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries and its IPv6 address space, as CPython 3.13's
`ipaddress` cites them; what 3.13.0 calls global although it is special was tried, 2026-11-21.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

type Address = IPv4Address | IPv6Address

NOT_PUBLIC = [
    ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's platform, on an address that looks public
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata at 192.0.0.192
        "192.31.196.0/24",  # AS112 and AMT, here and below: answered by the nearest, whoever that is
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4, of old
        "192.175.48.0/24",
        "224.0.0.0/4",  # multicast
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks, AMT
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
]
"""What Python's `is_global` lets through, or may again: its answers changed within releases (python/cpython#113171)."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that IANA gives to hosts in IPv6. Outside lie loopback, link-local, site-local, unique local (fd00:ec2::254),
multicast, and what has an IPv4 address inside: mapped, compatible, NAT64 (64:ff9b::/96, 64:ff9b:1::/48)."""


def parsed(text: str) -> Address:
    """An address as `inet_ntop` writes it; one that is mapped into IPv6 as the IPv4 address that would be called.

    Raises `ValueError`.
    """
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and not address.scope_id and address.ipv4_mapped) or address


def is_public(address: Address) -> bool:
    """Whether `address` may be called. One mapped into IPv6 may not: `parsed` takes it out first."""
    if isinstance(address, IPv6Address) and (address.scope_id or address not in GLOBAL_UNICAST):
        return False
    return address.is_global and not any(address in network for network in NOT_PUBLIC)
