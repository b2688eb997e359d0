"""What a knowledge base covers, and what it leaves out."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.domain.taxonomy import Taxonomy
    from models.knowledge.base import Knowledge


@dataclass(frozen=True)
class LanguageCoverage:
    """How much of the knowledge base one language holds.

    Parameters
    ----------
    required : bool
        Whether every kind and cue must hold it.
    kinds_named, cues_worded : float
        Shares, 0 to 1. A cue without phrases (an age, a quantity) needs no words and is not counted.
    kinds_missing, cues_missing : list of str
        Ids of those that lack the language.
    """

    code: str
    name: str
    required: bool
    kinds_named: float
    cues_worded: float
    kinds_missing: list[str] = field(default_factory=list)
    cues_missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Coverage:
    """Counts of a knowledge base, and its gaps.

    Parameters
    ----------
    cues_worded : float
        Share of pairs of cue and required language that have a phrase, 0 to 1.
    categories : dict
        Category of the taxonomy -> number of kinds.
    """

    kinds: int
    harmless: int
    prohibited: int
    cues: int
    cues_worded: float
    languages: list[LanguageCoverage]
    categories: dict[str, int]
    consumer_categories_without_kind: list[str]
    hazards_without_kind: list[str]
    cues_of_no_kind: list[str]

    @property
    def incomplete(self) -> list[LanguageCoverage]:
        """Required languages in which a kind has no name."""
        return [language for language in self.languages if language.required and language.kinds_missing]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {**asdict(self), "required_languages_incomplete": [language.code for language in self.incomplete]}


def coverage_of(knowledge: Knowledge, taxonomy: Taxonomy) -> Coverage:
    """Count what a knowledge base covers of the languages it names and of a taxonomy."""
    languages = [_language(knowledge, profile.code) for profile in knowledge.languages]
    worded = [cue for cue in knowledge.cues if cue.phrases]
    required = [language for language in languages if language.required]
    pairs = len(worded) * len(required)
    per_category = Counter(kind.category for kind in knowledge.kinds)
    hazards = {name for kind in knowledge.kinds for name in kind.hazards}
    used = {cue for kind in knowledge.kinds for cue in (*kind.aggravating, *kind.mitigating)}
    return Coverage(
        kinds=len(knowledge.kinds),
        harmless=sum(kind.harmless for kind in knowledge.kinds),
        prohibited=sum(bool(kind.prohibited) for kind in knowledge.kinds),
        cues=len(knowledge.cues),
        cues_worded=1 - sum(len(language.cues_missing) for language in required) / pairs if pairs else 1.0,
        languages=languages,
        categories={category: per_category[category] for category in taxonomy.categories},
        consumer_categories_without_kind=[c for c in taxonomy.consumer_categories if not per_category[c]],
        hazards_without_kind=[name for name in taxonomy.names if name not in hazards],
        cues_of_no_kind=sorted(cue.id for cue in knowledge.cues if cue.id not in used),
    )


def _language(knowledge: Knowledge, code: str) -> LanguageCoverage:
    profile = knowledge.language_by_code[code]
    worded = [cue for cue in knowledge.cues if cue.phrases]
    nameless = [kind.id for kind in knowledge.kinds if not kind.names.get(code)]
    wordless = [cue.id for cue in worded if not cue.phrases.get(code)]
    return LanguageCoverage(
        code=code,
        name=profile.name,
        required=profile.required,
        kinds_named=_share(len(knowledge.kinds) - len(nameless), len(knowledge.kinds)),
        cues_worded=_share(len(worded) - len(wordless), len(worded)),
        kinds_missing=nameless,
        cues_missing=wordless,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
