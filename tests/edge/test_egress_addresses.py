"""Which addresses are public, network by network: the first, the last and what lies beside."""

import pytest

from orrery.edge.egress_addresses import is_public, parsed

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "168.63.129.17",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "223.255.255.255",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "3ffe::1",
    "::ffff:8.8.8.8",
]
NOT_PUBLIC = {
    "this network": ["0.0.0.0", "0.1.2.3", "0.255.255.255"],
    "private": ["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255"],
    "shared": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "loopback": ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1"],
    "link-local": ["169.254.0.1", "169.254.169.254", "169.254.100.1", "169.254.170.2", "fe80::1", "febf::1"],
    "clouds": ["168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"],
    "protocols": ["192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.170", "2001:1::1", "2001:3::1", "2001:20::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"],
    "benchmarks": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "anycast services": ["192.31.196.1", "192.52.193.1", "192.88.99.1", "192.175.48.1", "2620:4f:8000::1"],
    "multicast": ["224.0.0.1", "224.0.0.251", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.254", "255.255.255.255", "4000::1", "5f00::1", "100::1"],
    "unspecified": ["::"],
    "unique local": ["fc00::1", "fdff::1"],
    "site-local": ["fec0::1", "feff::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:0:0"],
    "compatible": ["::127.0.0.1", "::8.8.8.8", "::ffff:0:8.8.8.8"],
    "nat64": ["64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1:ffff::1"],
    "6to4": ["2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1"],
    "teredo": ["2001::1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "zones": ["fe80::1%eth0", "2606:4700::1111%1", "::1%lo", "::ffff:8.8.8.8%1"],
}


@pytest.mark.parametrize("text", PUBLIC)
def test_a_host_of_the_internet_may_be_called(text: str) -> None:
    assert is_public(parsed(text))


@pytest.mark.parametrize("text", [text for texts in NOT_PUBLIC.values() for text in texts])
def test_any_other_address_may_not(text: str) -> None:
    assert not is_public(parsed(text))


@pytest.mark.parametrize("text", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "", "localhost", "1.1.1.1/32"])
def test_an_odd_spelling_is_no_address_at_all(text: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        parsed(text)


def test_a_mapped_address_is_called_as_what_it_means() -> None:
    assert str(parsed("::ffff:8.8.8.8")) == "8.8.8.8"
