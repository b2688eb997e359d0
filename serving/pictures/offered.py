"""What a caller sends as pictures of a listing: bytes in base64, a part of a multipart request, or a URL."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from models.domain.listing import LIMITS
from serving.api.problems import FieldError, shortened

_URL_LENGTH = 2_000
_WAYS = ("data", "url", "part")
_KNOWN = ", ".join((*_WAYS, "alt"))
_NO_FETCH = "send the bytes as data, or a multipart part"


@dataclass(frozen=True)
class Hosts:
    """The hosts that pictures are fetched from.

    Parameters
    ----------
    names : tuple of str
        A host, or ``*.`` and a domain for all hosts below it.
    """

    names: tuple[str, ...] = ()

    def holds(self, host: str | None) -> bool:
        """Tell whether a host is one of them.

        Examples
        --------
        >>> hosts = Hosts(("img.shop.example", "*.cdn.example"))
        >>> [hosts.holds(host) for host in ("IMG.shop.example", "a.b.cdn.example", "cdn.example", "evilcdn.example")]
        [True, True, False, False]
        """
        name = (host or "").lower().rstrip(".")
        return any(name.endswith(known[1:]) if known.startswith("*.") else name == known for known in self.names)


@dataclass(frozen=True)
class PictureRules:
    """What is taken.

    Parameters
    ----------
    most : int
        Pictures of one listing.
    bytes : int
        Of one picture.
    hosts : Hosts
        That URLs may name.
    """

    most: int = 12
    bytes: int = 10_000_000
    hosts: Hosts = field(default_factory=Hosts)


@dataclass(frozen=True)
class Offered:
    """One picture of a listing: its bytes, or where they are fetched from."""

    data: bytes = field(default=b"", repr=False)
    url: str | None = None
    alt: str = ""

    @property
    def sha256(self) -> str | None:
        """Of the bytes, None where they are not there yet."""
        return None if self.url else hashlib.sha256(self.data).hexdigest()


def read_images(
    raw: object, rules: PictureRules, parts: Mapping[str, bytes] | None = None
) -> tuple[list[Offered], list[FieldError]]:
    """Return the pictures of the field `images` of a listing, and what is wrong with it.

    Parameters
    ----------
    raw : object
        What JSON gave for it.
    parts : mapping, optional
        Files of a multipart request by their names.
    """
    if not isinstance(raw, list):
        return [], [_error("", raw, "is no array", 'give [{"data": "..."}] with base64, or [{"url": "https://..."}]')]
    if len(raw) > rules.most:
        return [], [_error("", f"{len(raw)} pictures", f"has more than {rules.most} items", "leave some out")]
    found: list[Offered] = []
    errors: list[FieldError] = []
    for i, item in enumerate(raw):
        offered = _one(item, f"[{i}]", rules, parts or {})
        if isinstance(offered, Offered):
            found.append(offered)
        else:
            errors.append(offered)
    return found, errors


def _one(item: object, place: str, rules: PictureRules, parts: Mapping[str, bytes]) -> Offered | FieldError:
    if isinstance(item, str):
        item = {"url": item} if item.startswith(("http://", "https://")) else {"data": item}
    if not isinstance(item, dict):
        return _error(place, item, "is no object", 'give {"data": "..."} with base64, or {"url": "https://..."}')
    unknown = sorted(set(item) - {*_WAYS, "alt"})
    if unknown:
        return _error(
            f"{place}.{unknown[0]}", item[unknown[0]], "is not a known field", "known are data, url, part, alt"
        )
    ways = [way for way in _WAYS if way in item]
    if len(ways) != 1:
        return _error(place, ", ".join(ways) or item, "needs one of data, url and part", "give one of them")
    way, alt = ways[0], item.get("alt", "")
    value = item[way]
    if not isinstance(value, str) or not isinstance(alt, str):
        wrong, name = (value, way) if not isinstance(value, str) else (alt, "alt")
        return _error(f"{place}.{name}", wrong, "is no text", 'give a JSON string, e.g. "..."')
    if len(alt) > LIMITS["caption"]:
        return _error(f"{place}.alt", alt, f"is longer than {LIMITS['caption']:,} characters", "cut it")
    if way == "url":
        return _of_url(value, alt, f"{place}.url", rules)
    data = parts.get(value) if way == "part" else _decoded(value)
    if data is None:
        message = "names no part of the request" if way == "part" else "is not base64"
        hint = f"the parts are {', '.join(parts) or 'none: send multipart/form-data'}"
        return _error(f"{place}.{way}", value, message, hint if way == "part" else "encode the file by base64")
    if not data:
        return _error(f"{place}.{way}", value, "holds no bytes", "send the file itself")
    if len(data) > rules.bytes:
        message = f"has {len(data):,} bytes, more than {rules.bytes:,}"
        return _error(f"{place}.{way}", value, message, "make the picture smaller or compress it more")
    return Offered(data, alt=alt)


def _of_url(url: str, alt: str, place: str, rules: PictureRules) -> Offered | FieldError:
    if not rules.hosts.names:
        return _error(
            place, url, "is a URL, and this server fetches none", "send the bytes as data, or a multipart part"
        )
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return _error(place, url, "is no URL", "give one such as https://img.shop.example/1.jpg")
    if len(url) > _URL_LENGTH or parts.scheme not in ("http", "https") or not host or not url.isascii() or " " in url:
        return _error(place, url, "is no URL of the web", "give one such as https://img.shop.example/1.jpg")
    if not rules.hosts.holds(host):
        hint = f"pictures are fetched from {', '.join(rules.hosts.names)}; send others as data"
        return _error(place, url, f"is at {shortened(host)}, which is not allowed", hint)
    return Offered(url=url, alt=alt)


def _decoded(text: str) -> bytes | None:
    plain = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(plain.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _error(place: str, value: object, message: str, hint: str) -> FieldError:
    return FieldError(field=f"images{place}", value=shortened(value), message=message, hint=hint)


def with_images_removed(raw: object) -> tuple[object, object | None]:
    """Return a raw listing without its pictures, and these; None where it names none."""
    if not isinstance(raw, dict) or "images" not in raw:
        return raw, None
    return {name: value for name, value in raw.items() if name != "images"}, raw["images"]


def keys_of(pictures: Sequence[Offered]) -> list[str]:
    """Return what tells the pictures of a listing apart."""
    return [picture.url or str(picture.sha256) for picture in pictures]
