"""Where requests may go whose targets others name."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ipaddress import IPv4Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.outgoing.addresses import AddressRules, Guard, TargetError, embedded, is_public, read_networks

FORBIDDEN = [
    "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.192", "198.18.0.1", "224.0.0.1", "239.255.255.250", "224.0.1.1",
    "240.0.0.1", "255.255.255.255", "192.88.99.1", "192.0.2.1", "203.0.113.9",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "fe80::1", "fe80::1%2", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "ff0e::1",
    "2002:7f00:1::", "2001:0:1::1", "2001:db8::1", "100::1",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]


def guard(*addresses: str, allowed: str = "", https_only: bool = True) -> Guard:
    def resolve(host: str, port: int) -> Sequence[str]:
        return addresses

    return Guard(AddressRules(read_networks(allowed), https_only), resolve)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(TargetError, match="not public"):
        guard(address).addresses("hooks.example", 443, encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_is_asked(address: str) -> None:
    assert guard(address).addresses("hooks.example", 443, encrypted=True) == [ip_address(address)]


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_alike_however_it_is_written(address: IPv4Address) -> None:
    for prefix in ("::ffff:0:0", "64:ff9b::"):
        wrapped = (
            ip_address(int(ip_address(prefix)) | int(address))
            if prefix.startswith("64")
            else ip_address(f"::ffff:{address}")
        )
        assert embedded(wrapped) == address
        assert is_public(wrapped) is is_public(address)


def test_one_forbidden_address_among_several_is_enough() -> None:
    with pytest.raises(TargetError, match=r"10\.0\.0\.1"):
        guard("1.1.1.1", "10.0.0.1").addresses("hooks.example", 443, encrypted=True)


def test_an_operator_can_allow_a_network() -> None:
    inside = guard("10.1.2.3", allowed="10.1.0.0/16")
    assert inside.addresses("hooks.internal", 80, encrypted=False) == [ip_address("10.1.2.3")]
    with pytest.raises(TargetError, match=r"10\.2\.0\.1"):
        guard("10.2.0.1", allowed="10.1.0.0/16").addresses("hooks.internal", 443, encrypted=True)


def test_an_allowed_network_is_found_behind_a_mapped_address() -> None:
    assert guard("::ffff:10.1.2.3", allowed="10.1.0.0/16").addresses("hooks.internal", 443, encrypted=True)


def test_public_addresses_are_asked_by_tls_unless_the_rules_do_without() -> None:
    with pytest.raises(TargetError, match="without TLS"):
        guard("1.1.1.1").addresses("hooks.example", 80, encrypted=False)
    assert guard("1.1.1.1", https_only=False).addresses("hooks.example", 80, encrypted=False)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://hooks.example/", "no address of the web"),
        ("hooks.example/path", "no address of the web"),
        ("https:///path", "no address of the web"),
        ("https://user:secret@hooks.example/", "a name or a password"),
        ("https://hooks.example/#part", "#part"),
        ("http://hooks.example/", "not HTTPS"),
        ("https://hooks.example:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://hooks.example/a b", "blanks"),
        ("https://hooks.example/\r\nX: y", "blanks"),
    ],
)
def test_a_url_that_cannot_be_asked_is_refused(url: str, says: str) -> None:
    with pytest.raises(TargetError, match=says):
        AddressRules().check_url(url)


def test_a_good_url_is_taken() -> None:
    AddressRules().check_url("https://hooks.shop.example:8443/in?x=1")
    AddressRules(read_networks("10.0.0.0/8")).check_url("http://hooks.internal/in")


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    with suppress(TargetError):
        AddressRules().check_url(text)
