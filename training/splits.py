"""Time-and-group split: the model is tested on products that came later, and on none that it has already seen."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from models.domain.alert import Example

Index = NDArray[np.int64]
TimeKey = tuple[int, int]
"""(day as `datetime.date.toordinal` counts it, running number within it)."""

_PARTS = ("train", "calibration", "test")
_YEARS = (1900, 2199)
_DAY = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_MONTH = re.compile(r"^(\d{4})[-/.](\d{1,2})(?!\d)")
_WEEK = re.compile(r"^(\d{4})-?w(\d{1,2})(?:\D+(\d+))?", re.IGNORECASE)
_YEAR = re.compile(r"^(\d{4})(?!\d)")
_REFERENCE = re.compile(r"^[A-Z]+\d*/(\d{1,6})/(\d{2})$")
_LAST_NUMBER = re.compile(r"(\d{1,15})\D*$")


@dataclass(frozen=True)
class Split:
    """Indices of the three parts; no product group stands in two of them.

    Parameters
    ----------
    train, calibration, test : array of int
        Dated examples first, in time order, then the undated ones.
    dropped : dict
        Part -> examples taken out of it because their group also stands in a later part.
    undated : int
        Examples that no time could be read from; they are split by a hash of their group.
    span : dict
        Part -> first and last day (ISO) of its dated examples.
    """

    train: Index
    calibration: Index
    test: Index
    dropped: dict[str, int] = field(default_factory=dict)
    undated: int = 0
    span: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """How the split was made, in words for the report."""
        dated = sum(map(len, (self.train, self.calibration, self.test))) + sum(self.dropped.values()) - self.undated
        if not self.undated:
            return "by time: the latest examples are the test part, no product group in two parts"
        if dated <= 0:
            return "by a hash of the product group, because no example has a date: it says nothing about later products"
        return f"by time; {self.undated} examples without a date by a hash of their product group"

    def as_dict(self) -> dict[str, Any]:
        """Return sizes, dropped examples, spans and method as plain values."""
        return {
            "method": self.method,
            "undated": self.undated,
            "dropped": dict(self.dropped),
            "sizes": {name: len(getattr(self, name)) for name in _PARTS},
            "span": {name: list(days) for name, days in self.span.items()},
        }


def time_group_split(
    examples: Sequence[Example],
    test_share: float = 0.2,
    calibration_share: float = 0.15,
    duplicates: Index | None = None,
) -> Split:
    """Split examples by time, keeping product groups together.

    The latest `test_share` goes to the test part and the latest `calibration_share` of the rest to the calibration
    part. A group is one product: the same id (a recall and its translations), or texts that are nearly the same
    (`duplicates`), or both in a chain. Where a group stands in two parts, its examples are dropped from the earlier
    one: the later part stays as it came, so that the test shares mean what they say.

    Parameters
    ----------
    examples : sequence of Example
    test_share, calibration_share : float
        At least 0 and below 1.
    duplicates : array of int, shape (n,), optional
        Group of nearly equal texts of each example, from `near_duplicate_groups`.

    Returns
    -------
    Split
        The same examples in another order give the same parts.

    Raises
    ------
    ValueError
        If a share is out of range or `duplicates` has another length.
    """
    for name, share in (("test_share", test_share), ("calibration_share", calibration_share)):
        if not 0.0 <= share < 1.0:
            raise ValueError(f"{name} is {share!r}, it must be at least 0 and below 1")
    if duplicates is not None and len(duplicates) != len(examples):
        raise ValueError(f"{len(duplicates)} duplicate groups for {len(examples)} examples")
    groups = product_groups(examples, duplicates)
    keys = [time_key(example) for example in examples]
    # Ids and contents break ties, so that the order of the input never decides.
    dated = sorted(
        (i for i, key in enumerate(keys) if key is not None),
        key=lambda i: (keys[i], examples[i].id, examples[i].lang, examples[i].fingerprint()),
    )
    part = np.zeros(len(examples), dtype=np.int64)
    n_test = round(len(dated) * test_share)
    n_calibration = round((len(dated) - n_test) * calibration_share)
    part[dated[len(dated) - n_test :]] = 2
    part[dated[len(dated) - n_test - n_calibration : len(dated) - n_test]] = 1
    undated = [i for i, key in enumerate(keys) if key is None]
    names = _group_names(examples, groups)
    for i in undated:
        part[i] = _part_by_hash(names[groups[i]], test_share, calibration_share)
    return _without_straddlers(groups, part, [*dated, *undated], len(undated), keys)


def product_groups(examples: Sequence[Example], duplicates: Index | None = None) -> Index:
    """Return the product group of each example: connected by equal id or by equal duplicate group.

    Ids are compared without their source: two registers that number alike are joined, which drops a few examples and
    leaks none.
    """
    n = len(examples)
    _, ids = np.unique(np.array([example.id for example in examples], dtype=object).astype(str), return_inverse=True)
    columns = [ids.ravel()]
    if duplicates is not None:
        columns.append(n + np.unique(duplicates, return_inverse=True)[1].ravel())
    rows = np.tile(np.arange(n), len(columns))
    # Examples and group names are the nodes of a two-sided graph; its components are the products.
    links = np.concatenate(columns) + n
    size = 3 * n + 1
    graph = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, links)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    _, compact = np.unique(labels[:n], return_inverse=True)
    return compact.ravel().astype(np.int64)


def time_key(example: Example) -> TimeKey | None:
    """Return what an example sorts by in time, None where neither date nor id says when.

    Read are days (``2011-05-03``, ISO times too), weeks (``2011w18``, ``2011-W18``), months, years, ids of the weekly
    Safety Gate lists (``2011w18-860``) and Safety Gate references (``SR/04459/25``, only the year of which is a
    time). The id refines a date that names only its year. A week, month or year counts as its
    first day within the year.

    Examples
    --------
    >>> key = time_key(Example(id="2011w18-9", title="", date="2011"))
    >>> dt.date.fromordinal(key[0]).isoformat(), key[1]
    ('2011-05-02', 9)
    >>> key < time_key(Example(id="2011w18-10", title="", date="2011"))
    True
    """
    date, ident = example.date.strip(), example.id.strip()
    week = _week(ident)
    day = _first_day(date)
    if week is not None and (day is None or (_YEAR.fullmatch(date) and week[2] == int(date))):
        return week[:2]
    if day is not None:
        number = _LAST_NUMBER.search(ident)
        reference = _REFERENCE.match(ident)
        within = reference or number
        return day, int(within.group(1)) if within else 0
    if reference := _REFERENCE.match(ident):
        return dt.date(2000 + int(reference.group(2)), 1, 1).toordinal(), int(reference.group(1))
    return None


def _first_day(text: str) -> int | None:
    if week := _week(text):
        return week[0]
    for pattern in (_DAY, _MONTH, _YEAR):
        if match := pattern.match(text):
            year, month, day = ([int(part) for part in match.groups()] + [1, 1])[:3]
            if _YEARS[0] <= year <= _YEARS[1] and 1 <= month <= 12 and 1 <= day <= 31:
                # The 31st of a short month counts from its first: a wrong day still has its place in time.
                return dt.date(year, month, 1).toordinal() + day - 1
    return None


def _week(text: str) -> tuple[int, int, int] | None:
    match = _WEEK.match(text)
    if match is None:
        return None
    year, week = int(match.group(1)), int(match.group(2))
    if not (_YEARS[0] <= year <= _YEARS[1] and 1 <= week <= 53):
        return None
    monday = dt.date.fromisocalendar(year, 1, 1) + dt.timedelta(weeks=week - 1)
    # The first week may begin, and the last end, in another year; the year written down stands.
    day = min(max(monday, dt.date(year, 1, 1)), dt.date(year, 12, 31))
    return day.toordinal(), int(match.group(3) or 0), year


def _group_names(examples: Sequence[Example], groups: Index) -> dict[int, str]:
    names: dict[int, str] = {}
    for example, group in zip(examples, groups.tolist(), strict=True):
        names[group] = min(names.get(group, example.id), example.id)
    return names


def _part_by_hash(name: str, test_share: float, calibration_share: float) -> int:
    draw = int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:8], "big") / 2**64
    if draw < test_share:
        return 2
    return 1 if draw < test_share + (1 - test_share) * calibration_share else 0


def _without_straddlers(
    groups: Index, part: Index, order: list[int], undated: int, keys: Sequence[TimeKey | None]
) -> Split:
    latest = np.zeros(groups.max(initial=-1) + 1, dtype=np.int64)
    np.maximum.at(latest, groups, part)
    kept = part == latest[groups]
    ordered = np.array(order, dtype=np.int64)
    parts = [ordered[(part[ordered] == number) & kept[ordered]] for number in range(3)]
    span = {}
    for name, index in zip(_PARTS, parts, strict=True):
        days = [key[0] for i in index if (key := keys[i]) is not None]
        if days:
            span[name] = (dt.date.fromordinal(min(days)).isoformat(), dt.date.fromordinal(max(days)).isoformat())
    dropped = {name: int(((part == number) & ~kept).sum()) for number, name in enumerate(_PARTS[:2])}
    return Split(parts[0], parts[1], parts[2], dropped, undated, span)
