"""The phrases of one language, indexed under one way of cutting words, and a text as they are searched in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anyascii import anyascii

from models.knowledge.base import Knowledge
from models.knowledge.compounds import Compounds
from models.knowledge.kinds import LanguageProfile
from models.knowledge.normalising import Folded, fold, fold_phrase
from models.knowledge.phrase_index import Hit, PhraseIndexes, Span
from models.knowledge.stemming import Stemmed, WordForms

_NAMES, _CUES, _GLOSSES = "names", "cues", "glosses"
_COMPOUNDING = {"de", "nl"}
_ACCENTS_TELL_WORDS_APART = {"vi"}


class Indexes:
    """Names, cue phrases and gloss words of one language under one way of cutting words."""

    def __init__(self, knowledge: Knowledge, profile: LanguageProfile, forms: WordForms) -> None:
        self.forms = forms
        groups = {
            _NAMES: _names(knowledge, profile.code),
            _CUES: [(phrase, cue.id) for cue in knowledge.cues for phrase in cue.phrases.get(profile.code, [])],
            _GLOSSES: _glosses(knowledge, profile.code),
        }
        if profile.script == "Latin" and profile.code not in _ACCENTS_TELL_WORDS_APART:
            groups = {name: _also_plain(phrases) for name, phrases in groups.items()}
        self.phrases = PhraseIndexes(groups, profile.spaces, forms.stemmed)
        self.compounds = Compounds(_words(knowledge, profile.code)) if profile.code in _COMPOUNDING else None
        forms.forget()  # texts say but few of these words


@dataclass(frozen=True)
class SeenText:
    """A text as the indexes of its language search it."""

    folded: Folded
    stemmed: Stemmed
    indexes: Indexes
    spans: Sequence[Span]

    @classmethod
    def of(cls, text: str, indexes: Indexes) -> SeenText:
        """Return a text, folded, cut to stems and searched."""
        folded = fold(text)
        stemmed = indexes.forms.stem(folded.text)
        return cls(folded, stemmed, indexes, indexes.phrases.spans(stemmed.text))

    def names(self) -> list[Hit[str]]:
        """Return where product kinds are named, with their ids."""
        return self._find(_NAMES)

    def cues(self) -> list[Hit[str]]:
        """Return the phrases of cues, with the cues' ids."""
        return self._find(_CUES)

    def glosses(self) -> list[Hit[str]]:
        """Return the words that the gloss knows, with their English."""
        return self._find(_GLOSSES)

    def _find(self, group: str) -> list[Hit[str]]:
        return self.indexes.phrases.find(group, self.stemmed.text, self._written, self.spans)

    def _written(self, start: int, end: int) -> str:
        return self.folded.text[slice(*self.stemmed.origin(start, end))]

    def words(self, hit: Hit[str]) -> tuple[int, int]:
        """Return the span of a hit in the folded text."""
        return self.stemmed.origin(hit.start, hit.end)


def _also_plain(phrases: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return phrases, and those with accents in plain letters too: sellers drop them."""
    return phrases + [(plain, value) for phrase, value in phrases if (plain := anyascii(phrase)) != phrase]


def _names(knowledge: Knowledge, language: str) -> list[tuple[str, str]]:
    return [(name, kind.id) for kind in knowledge.kinds for name in kind.names.get(language, [])]


def _glosses(knowledge: Knowledge, language: str) -> list[tuple[str, str]]:
    """English for what the language says: a kind's name before a cue's phrase before a word of the vocabulary.

    Of the English names of a kind, the first that holds what the vocabulary says of the word: "Krawatte" is a tie also
    where ties and suits are one kind.
    """
    if language == "en":
        words = {word for forms in knowledge.vocabulary.values() for word in forms.values()} - {""}
        return [(word, word) for word in sorted(words | {kind.name for kind in knowledge.kinds})]
    vocabulary = knowledge.vocabulary.get(language, {})
    english = dict(vocabulary)
    for cue in knowledge.cues:
        if cue.phrases.get("en"):
            english.update(dict.fromkeys(cue.phrases.get(language, []), cue.phrases["en"][0]))
    for kind in knowledge.kinds:
        known = kind.names["en"]
        for name in kind.names.get(language, []):
            plain = vocabulary.get(name) or vocabulary.get(name.lower())
            english[name] = next((one for one in known if plain and plain in one), known[0])
    return list(english.items())


def _words(knowledge: Knowledge, language: str) -> dict[str, str]:
    """Return the single words of a language that the gloss knows, folded, with their English."""
    glosses = ((fold_phrase(word), english) for word, english in _glosses(knowledge, language))
    return {word: english for word, english in glosses if word.isalpha()}
