"""Cyrillic words in Latin letters, as shops write them in addresses (``girlyandy-elektricheskie``)."""

from __future__ import annotations

import re

from models.knowledge.stemming import Stemmed, WordForms, changed_words, map_words

_LATIN_WORD = re.compile(r"[a-z']+")
_SPELLINGS = {
    "shch": "щ", "sch": "щ", "kh": "х", "zh": "ж", "ts": "ц", "ch": "ч", "sh": "ш",
    "ya": "я", "ia": "я", "ja": "я", "yu": "ю", "iu": "ю", "ju": "ю", "yo": "е", "jo": "е", "ye": "е", "je": "е",
    "a": "а", "b": "б", "v": "в", "w": "в", "g": "г", "d": "д", "e": "е", "z": "з", "i": "и", "j": "й", "y": "ы",
    "k": "к", "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "r": "р", "s": "с", "t": "т", "u": "у", "f": "ф",
    "h": "х", "c": "ц", "x": "х", "q": "к", "'": "",
}  # fmt: skip
_LONGEST = 4
_Y_AFTER_A_VOWEL = re.compile(r"(?<=[аеиоуыэюя])ы")
_LOOK_ALIKE = {**str.maketrans("эёєйыії", "еееииии", "ьъ"), ord("ц"): "тс"}
"""Letters that Latin spelling does not tell apart, or leaves out."""

CYRILLIC = re.compile(r"[\u0400-\u04ff]")


def to_cyrillic(word: str) -> str:
    """Return the most likely Cyrillic spelling of a lower-case word in Latin letters; others stay as they are.

    Examples
    --------
    >>> to_cyrillic("girlyandy"), to_cyrillic("zhenskiy")
    ('гирлянды', 'женский')
    """
    if not _LATIN_WORD.fullmatch(word):
        return word
    letters: list[str] = []
    i = 0
    while i < len(word):
        for length in range(_LONGEST, 0, -1):
            if (spelled := _SPELLINGS.get(word[i : i + length])) is not None:
                letters.append(spelled)
                i += min(length, len(word) - i)
                break
    return _Y_AFTER_A_VOWEL.sub("й", "".join(letters))


class RomanisedForms(WordForms):
    """Stems under which a Cyrillic word and its Latin spellings are one.

    What Latin letters do not tell apart is one (и, й and ы; е and э; ц and тс), soft and hard signs are gone:
    use it only for texts without a Cyrillic letter.
    """

    def stem(self, folded: str) -> Stemmed:
        """Return a folded text in either script with its words cut to such stems."""
        return map_words(folded, self._romanised)

    def stemmed(self, folded: str) -> str:
        """Return the text of `stem` alone."""
        return changed_words(folded, self._romanised)

    def _romanised(self, word: str) -> str:
        return self.stem_word(to_cyrillic(word)).translate(_LOOK_ALIKE) or word
