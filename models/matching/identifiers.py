"""Numbers that name a product: GTIN, model, batch, shop's article id; each in one spelling, with its near forms."""

from __future__ import annotations

import re
from collections.abc import Iterable

from models.matching.look_alikes import looks_like

_GTIN_LENGTHS = frozenset({8, 12, 13, 14})
_DIGITS = re.compile(r"(?<![\w-])(?<!\d[.,])\d(?:[ -]?\d){7,13}(?!\w)(?![.,-]\d)")
_PARTED = re.compile(r"[\s,;:|()\[\]{}\"'“”„«»‘’!?*•=+]+")
_JOINING = re.compile(r"[-_/.\\–]")
_SIZES = re.compile(r"\d{1,3}(?:[-/.–]\d{1,4})+|\d{4}(?:[-/.–]\d{1,2}){2}|\d+-?in-?\d+")
"""Ranges, dates and sizes, and ``3-in-1``: ``98/104``, ``12.05.2011``."""
_RATING = (
    r"(?:ac|dc|ce|max\.?)?[-/.:]?\d+(?:[.,]\d+)?(?:[-/~–]\d+)?(?:kv|v|vac|vdc|a|hz|khz|mhz|ma|mah|w|va|l|m)(?:ac|dc)?~?"
)
_RATINGS = re.compile(rf"{_RATING}(?:[-/]{_RATING})*")
"""What stands on a type plate: ``AC100-240V``, ``50/60Hz``, ``10-16A/250V``."""
_CLASSES = re.compile(
    r"(?:en|iso|iec|bs|din)[-.:]?\d+(?:-\d+)*|ip[-.:]?\d\dx?|spf[-.:]?\d+\+?"
    r"|h0[357][a-z0-9]{2,5}(?:-[a-z])?(?:\d.*)?|e(?:14|27|40)|gu10|gx?5\.3|[al][gr]\d{1,2}|cr\d{4}|6f22"
    r"|\d+-?(?:pieces?|pcs?|volts?|watts?|lights?|packs?|way|in|inch|teilig|pin|year|years|month|months)"
)
"""What very different products share: standards, degrees of protection, kinds of cable, lamp cap and battery,
counts."""
_SPACED_MODEL = re.compile(
    r"(?<![\w-])(?<!\d )(?!(?:AC|AGE|AND|BS|CE|CM|DC|DIN|EN|FOR|FROM|IEC|IN|IP|ISO|KG|LED|MAX|MIN|MM|NO|OF|PCS|SET|SIZE"
    r"|SPF|TO|UP|V|W|WIRE)\b)([A-Z]{1,4})[ -](\d{2,6}[A-Z]{0,3})(?![\w-])"
)
"""Letters and a number behind a gap, but for measures, standards and plain words in capitals."""
_MEASURE = re.compile(
    r"\d+(?:[.,x*]\d+)*(?:mm|cm|dm|m|m2|m3|km|ml|cl|l|kg|g|gr|mg|mcg|w|kw|kwh|wh|v|kv|mv|ma|a|ah|mah|hz|khz|mhz|ghz|gb|tb|mb"
    r"|inch|in|oz|lb|lbs|ft|yd|pcs|pc|pack|st|stk|nm|mw|lm|k|p|x|er|st|nd|rd|th|s|c|f|y|yrs|years|months|min|h|hrs|rpm|psi"
    r"|bar|db|dpi|mp|fps|gsm|d|t|мл|л|г|кг|мм|см|м|вт|шт|в)?"
)
_DIMENSIONS = re.compile(r"[a-z]?\d+(?:[.,]\d+)?[a-z]{0,2}(?:[x×*]\d+(?:[.,]\d+)?[a-z]{0,4})+")
_BATCH = re.compile(
    r"\b(?:batch|lot|charge|partie|partia|lotto|lote|serial|serien)\w*\.?(?:\s*(?:number|no|nr|code|nummer|n°))?\.?\s*[:#]?\s*"
    r"([A-Z0-9][A-Z0-9/.-]{2,20})",
    re.IGNORECASE,
)
_LONGEST = 24
_SHORTEST = 4
_SHORTEST_DIGITS = 5
"""Shorter numbers are sizes, years and counts."""
_LOOKS_LIKE = str.maketrans("oilszb", "011528")
LONGEST_DECLARED = 40
MOST_IN_TEXT, MOST_NAMED = 12, 4
"""Numbers of one listing that are looked at: in all its texts, and where a seller names the model."""


def gtin(text: str) -> str | None:
    """Return a GTIN with 14 digits, None where the digits are none: length, or check digit.

    Source of the check digit: GS1 General Specifications, section 7.9 (weights 3 and 1 from the right, sum to ten).

    Examples
    --------
    >>> gtin("4006381333931"), gtin("4006381333932"), gtin("96385074")
    ('04006381333931', None, '00000096385074')
    """
    digits = re.sub(r"[\s-]", "", text)
    if len(digits) not in _GTIN_LENGTHS or not digits.isascii() or not digits.isdigit() or not digits.strip("0"):
        return None
    padded = digits.zfill(14)
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(padded[:13]))
    return padded if (10 - total % 10) % 10 == int(padded[13]) else None


def gtins_in(texts: Iterable[str]) -> tuple[str, ...]:
    """Return the GTINs that stand in some texts, each once.

    Eight digits are read as one only where a field gives nothing else: dates and article numbers have eight digits too.
    """
    found = []
    for text in texts:
        for match in _DIGITS.finditer(text):
            code = gtin(match.group())
            if code and (not code.startswith("000000") or match.group() == text.strip()):
                found.append(code)
    return tuple(dict.fromkeys(found))


def model_key(text: str) -> str:
    """Return a model number in one spelling: small Latin letters and digits, nothing between them.

    Examples
    --------
    >>> model_key("КХ-204/a"), model_key("GPR 50")
    ('kx204a', 'gpr50')
    """
    return re.sub(r"[^a-z0-9]", "", looks_like(text))


def models_in(text: str) -> list[str]:
    """Return what looks like a model number in a text, in one spelling: a digit in it, and neither measure nor size.

    Examples
    --------
    >>> models_in("Charger KX-204, 5000 mAh 230V 10x20cm, Ref. 88-12345"), models_in("Radio ABC 50 of 2011")
    (['kx204', '8812345'], ['abc50'])
    >>> models_in("Lead 10-16A/250V~, 3 x 2.5 A 250 V, H05VV-F 3G1,5, IP44, EN 71, sizes 98-104.")
    []
    """
    found = [model_key(match.group()) for match in _SPACED_MODEL.finditer(text)]
    found = [key for key in found if not key.isdigit()]
    for written in _PARTED.split(text):
        if not any(c.isdigit() for c in written):
            continue
        part = looks_like(written).strip("-_/.\\–~")
        if not any(pattern.fullmatch(part) for pattern in (_MEASURE, _DIMENSIONS, _SIZES, _RATINGS, _CLASSES)):
            key = _JOINING.sub("", part)
            if key.isascii() and key.isalnum() and _is_model(key):
                found.append(key)
    return list(dict.fromkeys(found))


def declared_models(text: str) -> list[str]:
    """Return the model numbers of a field that holds nothing else: also short ones, and names without a digit.

    Examples
    --------
    >>> declared_models("A4"), declared_models("Type KX-204, KX-206")
    (['a4'], ['kx204', 'kx206'])
    """
    found = models_in(text)
    whole = model_key(text)
    return found or ([whole] if 1 < len(whole) <= LONGEST_DECLARED else [])


def _is_model(key: str) -> bool:
    if _MEASURE.fullmatch(key) and not key.isdigit():
        return False
    if key.isdigit():
        return _SHORTEST_DIGITS <= len(key) <= _LONGEST and gtin(key) is None
    return _SHORTEST <= len(key) <= _LONGEST and sum(c.isdigit() for c in key) >= 2


def batches_in(text: str) -> list[str]:
    """Return the batch and lot numbers that a text names as such.

    Examples
    --------
    >>> batches_in("Lot no. S24364, batch: 12-07A")
    ['s24364', '1207a']
    """
    keys = [model_key(match.group(1)) for match in _BATCH.finditer(text)]
    return list(dict.fromkeys(key for key in keys if any(c.isdigit() for c in key)))


def shortened(key: str) -> set[str]:
    """Return a spelling without one of its signs, each once; none for short ones."""
    return {key[:i] + key[i + 1 :] for i in range(len(key))} if len(key) >= _SHORTEST_DIGITS else set()


def mixed_forms(key: str) -> set[str]:
    """Return forms that two misspelt numbers share: signs that look alike made one, and neighbours that changed places.

    Another digit gives another form: it is another number, and no slip.

    Examples
    --------
    >>> mixed_forms("kx2o4") & mixed_forms("kx204") != set(), mixed_forms("kx204") & mixed_forms("kx205")
    (True, set())
    """
    if len(key) < _SHORTEST:
        return set()
    return {"=" + key.translate(_LOOKS_LIKE), "~" + key[0] + "".join(sorted(key[1:]))}


def family(key: str) -> str:
    """Return what model numbers of one range share: leading letters, or digits up to the last two; empty for none.

    Examples
    --------
    >>> family("gpr50"), family("8812345"), family("a4")
    ('gpr', '88123', '')
    """
    letters = re.match(r"[a-z]+", key)
    if letters is not None:
        return letters.group() if len(letters.group()) >= 2 and len(key) > len(letters.group()) else ""
    return key[:-2] if len(key) >= _SHORTEST_DIGITS else ""


def telling(key: str) -> float:
    """Return how much it says that two texts share a number, 0 to 1: long ones are no coincidence."""
    return min(1.0, max(0.2, (len(key) - 2) / 5))
