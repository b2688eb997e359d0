"""Which addresses a request may go to whose target somebody else names: the public ones, and those an operator allows.

Otherwise whoever names a target could let the server speak to what only the server reaches: itself, its neighbours, the
metadata service of its cloud. A name is judged by the addresses that it resolves to, and exactly these are connected
to, so that a name which resolves otherwise a moment later gains nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from models.domain.errors import InputError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]
"""Host and port -> its addresses. Raises OSError where there are none."""

_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        # IANA's registries of special-purpose addresses, where what Python says of them differs between its versions.
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
        "::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
    )
)  # fmt: skip


class TargetError(InputError):
    """A target that no request may go to."""


@dataclass(frozen=True)
class AddressRules:
    """Where requests may go.

    Parameters
    ----------
    allowed : tuple of networks
        Reached although they are not public, and also without TLS: the operator's own.
    https_only : bool
        Everything else is asked by HTTPS only.
    """

    allowed: tuple[Network, ...] = ()
    https_only: bool = True

    def allows(self, address: Address) -> bool:
        """Tell whether an operator has named a network that holds the address."""
        plain = embedded(address)
        return any(plain.version == network.version and plain in network for network in self.allowed)

    def check_url(self, url: str) -> None:
        """Refuse a URL that no request can be sent to, whatever its host resolves to.

        Raises
        ------
        TargetError
            Naming what is wrong with it.
        """
        hint = "give one such as https://hooks.shop.example/hazardlens"
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise TargetError(f"{url!r} is no URL: {error}", place="url", hint=hint) from error
        if any(not character.isprintable() or character.isspace() for character in url):
            raise TargetError("it holds blanks or characters that cannot be printed", place="url", hint=hint)
        if parts.scheme not in ("http", "https") or not host:
            raise TargetError(f"{url!r} is no address of the web", place="url", hint=hint)
        if parts.username is not None or parts.password is not None:
            raise TargetError("it holds a name or a password", place="url", hint="leave it out; it would be logged")
        if parts.fragment:
            raise TargetError(f"it ends in #{parts.fragment}", place="url", hint="leave that out; it is never sent")
        if parts.scheme == "http" and self.https_only and not self.allowed:
            raise TargetError(f"{url!r} is not HTTPS", place="url", hint=hint)

    def check(self, host: str, addresses: Sequence[Address], *, encrypted: bool) -> None:
        """Refuse a host for the addresses that it has; one that is forbidden among several is enough.

        Raises
        ------
        TargetError
            Naming host and address.
        """
        hint = "an operator can allow its network by HAZARDLENS_OUTGOING_NETWORKS"
        for address in addresses:
            if self.allows(address):
                continue
            if not is_public(address):
                raise TargetError(f"{host} leads to {address}, which is not public", place="url", hint=hint)
            if self.https_only and not encrypted:
                raise TargetError(f"{host} is asked without TLS", place="url", hint=f"write https://, or {hint}")


@dataclass(frozen=True)
class Guard:
    """Resolves names and lets through what the rules allow.

    Parameters
    ----------
    rules : AddressRules
    resolve : callable
        By default the system's resolver.
    """

    rules: AddressRules
    resolve: Resolve = lambda host, port: resolved(host, port)

    def addresses(self, host: str, port: int, *, encrypted: bool) -> list[Address]:
        """Return the addresses to connect to, in the order of the resolver; blocks.

        Raises
        ------
        TargetError
            If the host may not be asked.
        OSError
            If it has no address.
        """
        found = [ip_address(text) for text in dict.fromkeys(self.resolve(host, port))]
        self.rules.check(host, found, encrypted=encrypted)
        return found


def embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address leads to, or the address itself.

    Examples
    --------
    >>> embedded(ip_address("::ffff:127.0.0.1")), embedded(ip_address("64:ff9b::a00:1"))
    (IPv4Address('127.0.0.1'), IPv4Address('10.0.0.1'))
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to somebody on the internet.

    Examples
    --------
    >>> [is_public(ip_address(text)) for text in ("93.184.215.14", "169.254.169.254", "::ffff:10.0.0.1", "224.0.1.1")]
    [True, False, False, False]
    """
    plain = embedded(address)
    if not plain.is_global or plain.is_multicast or plain.is_reserved or plain.is_unspecified:
        return False
    return not any(plain.version == network.version and plain in network for network in _NOT_PUBLIC)


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system knows them; blocks."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that no name can have
        raise OSError(f"{host!r} is no name of a host") from error
    return [str(entry[4][0]) for entry in found]


def read_networks(text: str) -> tuple[Network, ...]:
    """Return the networks of a list by commas; a single address is a network of its own.

    Raises
    ------
    ValueError
        If one is none.

    Examples
    --------
    >>> read_networks("10.1.0.0/16, ::1")
    (IPv4Network('10.1.0.0/16'), IPv6Network('::1/128'))
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
