"""What a corpus is to hold: size, seed, languages, styles, noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from models.domain.errors import InputError

Style = Literal["seller_rich", "seller_title_only", "seller_bullets", "attributes", "inspector"]
STYLES: tuple[Style, ...] = get_args(Style)

_STYLE_SHARES: dict[Style, float] = {
    "seller_rich": 0.22,
    "seller_title_only": 0.33,
    "seller_bullets": 0.15,
    "attributes": 0.12,
    "inspector": 0.18,
}


@dataclass(frozen=True)
class CorpusSettings:
    """Settings of a corpus. Every share is a probability between 0 and 1.

    Parameters
    ----------
    size : int
        Number of listings; raised where `min_per_kind` needs more.
    seed : int
        The same seed gives the same listing at every index, whatever the size.
    languages : mapping, optional
        Language code -> share, in any unit; without it, half English and the rest spread evenly over all other
        languages of the knowledge base.
    unsafe_share : float
        Share of unsafe listings among those of kinds with a hazard. The draw is tilted to reach it;
        `CorpusListing.weight` takes the tilt back.
    min_per_kind : int
        Least number of listings of every kind.
    styles : mapping
        Style -> share.
    stuffed, wrong_category, misspelt, transliterated, mixed_language, shouted, emoji : float
        Shares of listings with several synonyms in the title, a category of another product, a typing error, Latin
        letters or lost accents, words of English in another language, a title in capitals, and emoji.
    negated, unlisted : float
        Shares of cues that are denied ("without magnets"), where the cue allows it, and that the kind does not list.
    """

    size: int = 30_000
    seed: int = 20260101
    languages: Mapping[str, float] | None = None
    unsafe_share: float = 0.4
    min_per_kind: int = 12
    styles: Mapping[Style, float] = field(default_factory=lambda: dict(_STYLE_SHARES))
    stuffed: float = 0.3
    wrong_category: float = 0.1
    misspelt: float = 0.12
    transliterated: float = 0.06
    mixed_language: float = 0.2
    shouted: float = 0.05
    emoji: float = 0.08
    negated: float = 0.15
    unlisted: float = 0.12

    def __post_init__(self) -> None:
        if self.size < 0 or self.min_per_kind < 0:
            raise InputError(f"size {self.size} or min_per_kind {self.min_per_kind} is negative", hint="give a count")
        if not 0.0 < self.unsafe_share < 1.0:
            raise InputError(f"unsafe_share {self.unsafe_share} is not within 0 and 1", hint="0.4 trains well")
        for name, shares in (("styles", self.styles), ("languages", self.languages)):
            if shares is not None and (not shares or min(shares.values()) < 0 or math.fsum(shares.values()) <= 0):
                raise InputError(f"{name} must hold shares, none negative, not all zero", hint="for example en: 0.5")
        unknown = [style for style in self.styles if style not in STYLES]
        if unknown:
            raise InputError(f"no style {unknown[0]!r}", hint=f"one of: {', '.join(STYLES)}")

    def language_shares(self, known: Sequence[str]) -> dict[str, float]:
        """Return the share of every language, summing to 1.

        Parameters
        ----------
        known : sequence of str
            Languages of the knowledge base.

        Examples
        --------
        >>> CorpusSettings().language_shares(["en", "de", "fr"])
        {'en': 0.5, 'de': 0.25, 'fr': 0.25}
        """
        shares = self.languages
        if shares is None:
            others = [code for code in known if code != "en"]
            shares = {"en": 0.5 if others else 1.0} if "en" in known else {}
            shares = {**shares, **{code: (0.5 if shares else 1.0) / len(others) for code in others}}
        missing = [code for code in shares if code not in known]
        if missing:
            raise InputError(f"the knowledge base has no names in {missing[0]!r}", hint=f"one of: {', '.join(known)}")
        total = math.fsum(shares.values())
        return {code: share / total for code, share in shares.items() if share > 0}
