"""The phrases of one language, indexed under one way of cutting words, and a text as they are searched in it."""

from __future__ import annotations

from dataclasses import dataclass

from anyascii import anyascii

from models.knowledge.base import Knowledge
from models.knowledge.compounds import Compounds
from models.knowledge.kinds import LanguageProfile
from models.knowledge.normalising import Folded, fold, fold_phrase
from models.knowledge.phrase_index import Hit, PhraseIndex
from models.knowledge.stemming import Stemmed, WordForms

_COMPOUNDING = {"de", "nl"}
_ACCENTS_TELL_WORDS_APART = {"vi"}


class Indexes:
    """Names, cue phrases and gloss words of one language under one way of cutting words."""

    def __init__(self, knowledge: Knowledge, profile: LanguageProfile, forms: WordForms) -> None:
        self._profile = profile
        self.forms = forms
        self.names = self._index(_names(knowledge, profile.code))
        self.phrases = self._index(
            [(phrase, cue.id) for cue in knowledge.cues for phrase in cue.phrases.get(profile.code, [])]
        )
        self.glosses = self._index(_glosses(knowledge, profile.code))
        self.compounds = Compounds(_words(knowledge, profile.code)) if profile.code in _COMPOUNDING else None
        forms.forget()  # texts say but few of these words

    def _index(self, phrases: list[tuple[str, str]]) -> PhraseIndex[str]:
        """Index phrases by stems, and in plain letters: sellers drop accents."""
        if self._profile.script == "Latin" and self._profile.code not in _ACCENTS_TELL_WORDS_APART:
            phrases = phrases + [(plain, value) for phrase, value in phrases if (plain := anyascii(phrase)) != phrase]
        return PhraseIndex(phrases, self._profile.spaces, self.forms.stemmed)


@dataclass(frozen=True)
class SeenText:
    """A text as the indexes of its language search it."""

    folded: Folded
    stemmed: Stemmed
    indexes: Indexes

    @classmethod
    def of(cls, text: str, indexes: Indexes) -> SeenText:
        """Return a text, folded and cut to stems."""
        folded = fold(text)
        return cls(folded, indexes.forms.stem(folded.text), indexes)

    def find(self, index: PhraseIndex[str]) -> list[Hit[str]]:
        """Return the hits of one of the indexes."""
        return index.find(
            self.stemmed.text, lambda start, end: self.folded.text[slice(*self.stemmed.origin(start, end))]
        )

    def words(self, hit: Hit[str]) -> tuple[int, int]:
        """Return the span of a hit in the folded text."""
        return self.stemmed.origin(hit.start, hit.end)


def _names(knowledge: Knowledge, language: str) -> list[tuple[str, str]]:
    return [(name, kind.id) for kind in knowledge.kinds for name in kind.names.get(language, [])]


def _glosses(knowledge: Knowledge, language: str) -> list[tuple[str, str]]:
    """English for what the language says: a kind's name before a cue's phrase before a word of the vocabulary."""
    if language == "en":
        words = {word for forms in knowledge.vocabulary.values() for word in forms.values()} - {""}
        return [(word, word) for word in sorted(words | {kind.name for kind in knowledge.kinds})]
    english = dict(knowledge.vocabulary.get(language, {}))
    for cue in knowledge.cues:
        if cue.phrases.get("en"):
            english.update(dict.fromkeys(cue.phrases.get(language, []), cue.phrases["en"][0]))
    for kind in knowledge.kinds:
        english.update(dict.fromkeys(kind.names.get(language, []), kind.name))
    return list(english.items())


def _words(knowledge: Knowledge, language: str) -> dict[str, str]:
    """Return the single words of a language that the gloss knows, folded, with their English."""
    glosses = ((fold_phrase(word), english) for word, english in _glosses(knowledge, language))
    return {word: english for word, english in glosses if word.isalpha()}
