"""Whether two notices are the same alert: by register, prefix and number, and else by the product that they name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.domain.alert import Alert
from models.knowledge.normalising import fold_phrase

SAFETY_GATE = "safety-gate"
_SAFETY_GATE_NUMBER = re.compile(
    r"(?:(SR|OR|INFO|EM|A\d{1,2})\s*[/ -]\s*)?0*(\d{1,6})\s*/\s*(\d{2}|\d{4})", re.IGNORECASE
)
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True)
class AlertIdentity:
    """What an alert is known by.

    Parameters
    ----------
    register : str
        Whose numbers these are.
    prefix : str
        Kind of notification in the register, empty where the number has none.
    number : str
        In one spelling: no leading zeros, year with two digits.
    """

    register: str
    prefix: str
    number: str

    def __str__(self) -> str:
        return f"{self.register}:{f'{self.prefix}/' if self.prefix else ''}{self.number}"


def identity_of(alert: Alert) -> AlertIdentity:
    """Return what an alert is known by; a number of Safety Gate is one whoever cites it.

    Examples
    --------
    >>> str(identity_of(Alert("safety-gate", "sr/04459/2025", "Bear")))
    'safety-gate:SR/4459/25'
    >>> str(identity_of(Alert("authority:NL", "SR/4459/25", "Bear")))
    'safety-gate:SR/4459/25'
    >>> str(identity_of(Alert("cpsc", " 25-123 ", "Bear")))
    'cpsc:25-123'
    """
    found = _SAFETY_GATE_NUMBER.fullmatch(alert.reference.strip())
    if found is not None and (found[1] or alert.source == SAFETY_GATE):
        return AlertIdentity(SAFETY_GATE, (found[1] or "").upper(), f"{found[2]}/{found[3][-2:]}")
    return AlertIdentity(alert.source, "", _BLANK.sub("", alert.reference).casefold())


def may_be_same(one: AlertIdentity, other: AlertIdentity) -> bool:
    """Whether two numbers may be one: equal, or one of them was written without its prefix.

    Old alerts of Safety Gate have no prefix at all, so that a number alone decides nothing: ask `same_product` too.
    """
    if one.register != other.register or one.number != other.number:
        return False
    return one.prefix == other.prefix or not (one.prefix and other.prefix)


def same_product(one: Alert, other: Alert) -> bool:
    """Whether two notices name one product: a barcode in common, or else the brand and a model, or brand and title.

    Examples
    --------
    >>> same_product(Alert("a", "1", "Bear", barcodes=("0123",)), Alert("b", "2", "Plush", barcodes=("123",)))
    True
    >>> same_product(Alert("a", "1", "Bear", brand="Toyco"), Alert("b", "2", "Lamp", brand="TOYCO"))
    False
    """
    codes, others = _keys(one.barcodes, "0"), _keys(other.barcodes, "0")
    if codes and others:
        return bool(codes & others)
    brands = {fold_phrase(alert.brand) for alert in (one, other)}
    if len(brands) > 1:
        return False
    models, theirs = _keys(one.models), _keys(other.models)
    if models and theirs:
        return bool(models & theirs)
    return fold_phrase(one.title) == fold_phrase(other.title)


def _keys(texts: tuple[str, ...], leading: str = "") -> set[str]:
    return {key for text in texts if (key := re.sub(r"[\W_]+", "", text).casefold().lstrip(leading))}
