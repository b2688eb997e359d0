"""What language a field is written in."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from models.knowledge.matching import KnowledgeMatcher

if TYPE_CHECKING:
    from models.classifier.identifier import PackedIdentifier

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("ja", re.compile(r"[\u3040-\u30ff\u31f0-\u31ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ar", re.compile(r"[\u0600-\u06ff\u0750-\u077f]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ka", re.compile(r"[\u10a0-\u10ff]")),
    ("hy", re.compile(r"[\u0530-\u058f]")),
    ("bn", re.compile(r"[\u0980-\u09ff]")),
    ("ta", re.compile(r"[\u0b80-\u0bff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")),
)
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_UKRAINIAN = re.compile(r"[іїєґ]", re.IGNORECASE)
_RUSSIAN = re.compile(r"[ыэёъ]", re.IGNORECASE)
_BEYOND_RUSSIAN = re.compile(r"[ӘәҒғҚқҢңӨөҰұҮүҺһЂђЈјЉљЊњЋћЏџЃѓЌќЎў]")
_PERSIAN = re.compile(r"[پچژگ]")
_LATIN_CANDIDATES = [
    "en",
    "pt",
    "es",
    "fr",
    "de",
    "it",
    "nl",
    "pl",
    "tr",
    "vi",
    "id",
    "ro",
    "cs",
    "sk",
    "hu",
    "sv",
    "da",
    "fi",
    "hr",
    "lt",
    "lv",
    "et",
    "ms",
    "ca",
    "sl",
]
_SURE = 0.90
_SAMPLE = 300
"""Code points looked at: more changes nothing and costs time."""
_LONGEST_CACHED = 200
_CACHED_TEXTS = 4_096
"""Categories and brands come again with every listing of a shop."""


@dataclass(frozen=True)
class Detected:
    """A language code (ISO 639-1; `und` where there is no letter) and how sure it is (0 to 1)."""

    code: str
    confidence: float


class LanguageDetector:
    """Detects the language of product texts.

    Scripts and letters decide where they can. Latin text is judged by langid's n-grams and, where these hesitate (short
    titles full of brands), by how much of the text each candidate's vocabulary knows; so is Cyrillic text without a
    letter that only Russian or only Ukrainian has.
    """

    def __init__(self, matcher: KnowledgeMatcher) -> None:
        self._matcher = matcher
        self._known = lru_cache(maxsize=_CACHED_TEXTS)(self._detect)

    def detect(self, text: str, hint: str = "") -> Detected:
        """Return the language of a text.

        Parameters
        ----------
        hint : str
            What the seller says (``"de"``, ``"en/ms"``); it wins only between candidates that the text leaves open.
        """
        sample = text[:_SAMPLE]
        hint = hint[:2].lower()
        return self._known(sample, hint) if len(sample) <= _LONGEST_CACHED else self._detect(sample, hint)

    def _detect(self, sample: str, hint: str) -> Detected:
        found = self._by_signs(sample)
        if found is None:
            return self._latin(sample, hint)
        return self._russian_or_ukrainian(sample, hint, found) if _left_open(sample, found) else found

    def asks(self, text: str, hint: str = "") -> set[str]:
        """Return the languages whose vocabulary tells the language of a text; none where it is beyond doubt."""
        sample = text[:_SAMPLE]
        found = self._by_signs(sample)
        if found is None:
            return set(_candidates(_ranked(sample), hint[:2].lower()))
        return {"ru", "uk"} if _left_open(sample, found) else set()

    def reads_better(self, text: str, language: str, than: str) -> bool:
        """Tell whether one language's vocabulary knows more of a text than another's, or as much of a romanised one.

        A short text in Latin letters may be read in two languages: "sol" is Russian for salt and Spanish for sun.
        """
        sample = text[:_SAMPLE]
        own, other = self._matcher.gloss_coverage(sample, language), self._matcher.gloss_coverage(sample, than)
        return own > other or (own == other > 0.0 and than != "en" and self._matcher.romanises(language))

    def _by_signs(self, sample: str) -> Detected | None:
        """Return what the script tells; None for a text in Latin letters, whose language is another question."""
        by_script = None if sample.isascii() else self._by_script(sample)
        if by_script is None and not _LATIN.search(sample):
            return Detected("und", 0.0)
        return by_script

    def _by_script(self, sample: str) -> Detected | None:
        counts = {code: len(pattern.findall(sample)) for code, pattern in _SCRIPTS}
        if counts["ja"] and counts["zh"]:
            counts["ja"] += counts.pop("zh")
        best = max(counts, key=lambda code: counts[code])
        latin = len(_LATIN.findall(sample))
        if counts[best] == 0 or counts[best] * 4 < latin:
            return None
        share = counts[best] / (counts[best] + 0.25 * latin)
        if best == "ru" and _BEYOND_RUSSIAN.search(sample):
            return Detected("sr" if re.search("[ЂђЈјЉљЊњЋћЏџ]", sample) else "kk", share)
        if best == "ru" and _UKRAINIAN.search(sample):
            return Detected("uk", share)
        if best == "ar" and len(_PERSIAN.findall(sample)) >= 2:
            return Detected("fa", share)
        return Detected(best, share)

    def _russian_or_ukrainian(self, sample: str, hint: str, found: Detected) -> Detected:
        russian, ukrainian = (self._matcher.gloss_coverage(sample, code) for code in ("ru", "uk"))
        if ukrainian > russian or (ukrainian == russian and hint == "uk"):
            return Detected("uk", found.confidence)
        return found

    def _latin(self, sample: str, hint: str) -> Detected:
        ranked = _ranked(sample)
        candidates = _candidates(ranked, hint)
        if not candidates:
            return Detected(*ranked[0])
        coverage = {code: self._matcher.gloss_coverage(sample, code) for code in candidates}
        scores = {code: p**0.5 * (0.1 + coverage[code]) for code, p in candidates.items()}
        best = max(scores, key=lambda code: scores[code])
        if best != hint and 0.0 < coverage["en"] >= coverage[best]:
            # As much of it is English as is anything: taken as it stands it loses no word, glossed it might.
            best = "en"
        return Detected(best, min(1.0, scores[best] / sum(scores.values())))


def _left_open(sample: str, found: Detected) -> bool:
    """Whether the letters of a text taken for Russian could be Ukrainian as well."""
    return found.code == "ru" and not _RUSSIAN.search(sample)


def _ranked(sample: str) -> list[tuple[str, float]]:
    """Return the likeliest languages of a text in Latin letters, by its n-grams."""
    return [(code, float(p)) for code, p in identifier().rank(sample)[:4]]


def _candidates(ranked: Sequence[tuple[str, float]], hint: str) -> dict[str, float]:
    """Return the languages among which vocabularies decide, with their weights; none where n-grams are sure."""
    if ranked[0][1] >= _SURE:
        return {}
    candidates = dict(ranked)
    candidates.setdefault("en", 0.05)
    if hint in _LATIN_CANDIDATES:
        candidates[hint] = candidates.get(hint, 0.05) * 3
    return candidates


_LOADING = threading.Lock()


def identifier() -> PackedIdentifier:
    """Return what tells languages in Latin letters apart. It takes half a second to load: once, whoever asks first."""
    with _LOADING:
        return _loaded_identifier()


@cache
def _loaded_identifier() -> PackedIdentifier:
    from models.classifier.identifier import PackedIdentifier

    return PackedIdentifier.of_languages(_LATIN_CANDIDATES)
