"""How the value of a setting is read from a word of the environment; what cannot be read names the mend.

Each reader takes the variable's name and the word, and raises `InputError` where it makes no sense of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from models.classifier.cores import usable_core_numbers
from models.domain.errors import InputError
from serving.access.principal import Role
from serving.outgoing.addresses import Network, read_networks

_T = TypeVar("_T")
_HOST = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*")


def integer(least: int, most: int) -> Callable[[str, str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(name: str, raw: str) -> int:
        hint = f"give a whole number from {least} to {most}"
        try:
            value = int(raw)
        except ValueError as error:
            raise InputError(f"value {raw!r} is no whole number", place=name, hint=hint) from error
        if not least <= value <= most:
            raise InputError(f"value {value} is out of range", place=name, hint=hint)
        return value

    return read


def number(most: float, hint: str, least: float = 0) -> Callable[[str, str], float]:
    """Return a reader of numbers within bounds; `hint` is the mend."""

    def read(name: str, raw: str) -> float:
        try:
            value = float(raw)
        except ValueError as error:
            raise InputError(f"value {raw!r} is no number", place=name, hint=hint) from error
        if not least <= value <= most:
            raise InputError(f"value {raw} is out of range", place=name, hint=hint)
        return value

    return read


def choice(choices: Mapping[str, _T]) -> Callable[[str, str], _T]:
    """Return a reader of one of some words, whatever their case."""

    def read(name: str, raw: str) -> _T:
        if raw.lower() not in choices:
            raise InputError(f"value {raw!r} is not known", place=name, hint=f"give one of {', '.join(choices)}")
        return choices[raw.lower()]

    return read


def cores(name: str, raw: str) -> tuple[int, ...]:
    """Read numbers of cores, as single ones and ranges."""
    hint = "give cores of this machine that the process may use, such as 0-3 or 0,2"
    found: list[int] = []
    for part in raw.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise InputError(f"value {raw!r} names no cores", place=name, hint=hint)
        found += range(int(first), min(int(last or first), 100_000) + 1)
    strange = set(found) - usable_core_numbers() if found else {-1}
    if strange:
        raise InputError(f"value {raw!r} names cores that the process cannot use", place=name, hint=hint)
    return tuple(dict.fromkeys(found))


def url(name: str, raw: str) -> str:
    """Read an address of HTTP or HTTPS."""
    parts = urlsplit(raw)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"value {raw!r} is no address", place=name, hint="give one such as http://127.0.0.1:4318")
    return raw


def networks(name: str, raw: str) -> tuple[Network, ...]:
    """Read addresses and networks."""
    try:
        return read_networks(raw)
    except ValueError as error:
        hint = "give addresses or networks by commas, such as 10.1.0.0/16,127.0.0.1"
        raise InputError(f"value {raw!r} names no networks: {error}", place=name, hint=hint) from error


def regions(name: str, raw: str) -> tuple[tuple[str, str], ...]:
    """Read pairs of country and region."""
    found = []
    for part in raw.split(","):
        country, _, region = (each.strip().upper() for each in part.partition("="))
        if not re.fullmatch(r"[A-Z]{2}", country) or not re.fullmatch(r"[A-Z0-9]{1,8}", region):
            hint = "give countries and regions such as DE=BE,ES=MD"
            raise InputError(f"value {raw!r} names no regions", place=name, hint=hint)
        found.append((country, region))
    return tuple(found)


def safe_url(name: str, raw: str) -> str:
    """Read an address that nobody can listen in on: of HTTPS, or of this machine."""
    parts = urlsplit(url(name, raw))
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise InputError(f"value {raw!r} can be read on the way", place=name, hint="give one that begins with https://")
    return raw


def role_pairs(name: str, raw: str) -> str:
    """Check pairs of a value and a role; they stay as they are written."""
    hint = f"give pairs such as safety-team=reviewer,ml=scientist; roles are {', '.join(Role)}"
    for part in parts(raw):
        value, equals, role = part.rpartition("=")
        if not equals or not value.strip() or role.strip() not in set(Role):
            raise InputError(f"value {part!r} pairs no value with a role", place=name, hint=hint)
    return raw


def parts(raw: str) -> list[str]:
    """Return what stands between commas; empty parts are left out."""
    return [part for part in raw.split(",") if part.strip()]


def hosts(name: str, raw: str) -> tuple[str, ...]:
    """Read names of hosts, in small letters; ``*.`` stands for any below."""
    hosts = tuple(part.strip().lower() for part in raw.split(",") if part.strip())
    for host in hosts:
        if not _HOST.fullmatch(host):
            hint = "give hosts by commas, such as img.shop.example or *.cdn.example"
            raise InputError(f"value {host!r} is no host", place=name, hint=hint)
    return hosts


def text(_: str, raw: str) -> str:
    """Return the text as it is."""
    return raw


def path(_: str, raw: str) -> Path:
    """Read a path."""
    return Path(raw)


def names(_: str, raw: str) -> tuple[str, ...]:
    """Read words by commas."""
    return tuple(name for part in raw.split(",") if (name := part.strip()))


share = number(1, "give a number from 0 to 1, such as 0.1")
seconds = number(86_400, "give seconds from 0 to 86400, such as 2 or 0.5")
pause = number(600, "give seconds from 0.05 to 600, such as 5", 0.05)
yes_or_no = choice({"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False})
