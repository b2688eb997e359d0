"""Marks and warnings found in what was read off a picture."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.captioning.approximate import NUMBER, Skeleton, find, skeleton
from models.captioning.captioner import PictureToRead
from models.captioning.marks import Mark, MarkCatalogue, MarkPhrase, load_marks
from models.domain.listing import Caption

_REACH = 24
"""Characters before a phrase in which a word may negate it."""
_NEARLY_NUMBER = re.compile(r"\d[\dOo.,]*")
"""A number in which a nought may have been read as a letter."""
_CLAUSE_END = re.compile(r"[.,;:!?。；！？、，]")
_OLDEST = 216
"""Months; a larger number is no age of a child."""
_WARNED_AGE = "36 months"
"""What the sign "0-3" says (Directive 2009/48/EC, Annex V, Part B, 1)."""


@dataclass(frozen=True)
class MarkFound:
    """A mark on a picture.

    Parameters
    ----------
    sentence : str
        What it says, in English.
    similarity : float
        Share (0 to 1) of its letters that were read right.
    """

    code: str
    sentence: str
    similarity: float


class MarkCaptioner:
    """Gives a caption for each mark in the captions of source ``ocr`` that came before."""

    source = "mark"
    key = ""

    def __init__(self, marks: MarkCatalogue | None = None) -> None:
        self._marks = marks or load_marks()

    def captions(self, picture: PictureToRead, before: Sequence[Caption]) -> list[Caption]:  # noqa: ARG002
        """Return the marks, each once, the surest reading of it."""
        best: dict[str, Caption] = {}
        for caption, found in self._found([caption for caption in before if caption.source == "ocr"]):
            confidence = round(caption.confidence * found.similarity, 3)
            if found.sentence not in best or confidence > best[found.sentence].confidence:
                best[found.sentence] = Caption(
                    text=found.sentence, source="mark", confidence=confidence, mark=found.code
                )
        return list(best.values())

    def _found(self, captions: Sequence[Caption]) -> Iterator[tuple[Caption, MarkFound]]:
        whole = "\n".join(caption.text for caption in captions)
        for caption in captions:
            for found in marks_in(caption.text, self._marks, whole):
                yield caption, found


def marks_in(text: str, marks: MarkCatalogue | None = None, beside: str = "") -> list[MarkFound]:
    """Return the marks in a text.

    Parameters
    ----------
    beside : str
        Everything that was read off the same picture, for marks that need company.

    Examples
    --------
    >>> [(m.code, m.sentence) for m in marks_in("Nicht geeignet fur Kinder unter 36 Monaten. EN 71-1")]
    [('age-warning', 'warning: not suitable for children under 36 months'), ('standard', 'standard EN 71-1')]
    """
    marks = marks or load_marks()
    text = unicodedata.normalize("NFKC", text)
    print_ = skeleton(text)
    company = f"{text}\n{unicodedata.normalize('NFKC', beside)}"
    found: list[MarkFound] = []
    for mark in marks:
        if mark.compiled_near is not None and not mark.compiled_near.search(company):
            continue
        for pattern in mark.compiled_patterns:
            found += [_said(mark, match.groupdict().get("value")) for match in pattern.finditer(text)]
        readings = [reading for phrase in mark.compiled_phrases if (reading := _read(phrase, text, print_, marks))]
        if readings:
            age, similarity = max(readings, key=lambda reading: reading[1])
            found.append(_said(mark, age, similarity))
    return list(dict.fromkeys(found))


def _read(phrase: MarkPhrase, text: str, print_: Skeleton, marks: MarkCatalogue) -> tuple[str | None, float] | None:
    """Return the age in a phrase, in words, and how well the phrase fits; None where it is not there."""
    place = find(phrase.letters, print_, phrase.errors)
    if place is None:
        return None
    similarity = 1 - place.errors / len(phrase.letters.letters)
    start = print_.places[place.start] if place.start < len(print_.places) else len(text)
    clause = _CLAUSE_END.split(text[max(0, start - _REACH) : start])[-1]
    if marks.negated(clause):
        return None
    if phrase.months is None:
        return None, similarity
    inside = [at for at in print_.numbers if place.start <= at < place.end]
    if not inside:
        return None
    # A letter that was read as a digit looks like a number too: the age stands where the phrase has it.
    expected = place.start + phrase.letters.letters.index(NUMBER)
    months = print_.numbers[min(inside, key=lambda at: abs(at - expected))] * phrase.months
    return (_age(months), similarity) if 0 < months <= _OLDEST else None


def _age(months: int) -> str:
    return f"{months // 12} years" if months > 36 and months % 12 == 0 else f"{months} months"


def _said(mark: Mark, value: str | None, similarity: float = 1.0) -> MarkFound:
    said = " ".join((value or "").split()) or _WARNED_AGE
    if _NEARLY_NUMBER.fullmatch(said):
        said = said.replace("O", "0").replace("o", "0")
    return MarkFound(mark.code, mark.sentence.replace("{value}", said), similarity)
