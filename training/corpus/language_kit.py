"""A language's phrases, parsed and ready to write with."""

from __future__ import annotations

from dataclasses import dataclass

from training.corpus.phrase_book import LanguagePhrases
from training.corpus.templates import Template

Templates = tuple[Template, ...]


@dataclass(frozen=True)
class LanguageKit:
    """The parsed patterns of one language."""

    code: str
    phrases: LanguagePhrases
    titles: Templates
    inspector_titles: Templates
    marketing: Templates
    feature_lines: Templates
    inspector: Templates
    inspector_features: Templates
    captions: Templates
    feature_captions: Templates

    @classmethod
    def of(cls, code: str, phrases: LanguagePhrases) -> LanguageKit:
        """Parse the patterns of a language."""
        return cls(
            code,
            phrases,
            _titles(phrases.titles),
            _titles(phrases.inspector_titles),
            _sentences(phrases.marketing),
            _sentences(phrases.feature_lines),
            _sentences(phrases.inspector),
            _sentences(phrases.inspector_features),
            _sentences(phrases.captions),
            _sentences(phrases.feature_captions),
        )


def _titles(patterns: list[str]) -> Templates:
    return tuple(Template.title(pattern) for pattern in patterns)


def _sentences(patterns: list[str]) -> Templates:
    return tuple(Template.sentence(pattern) for pattern in patterns)
