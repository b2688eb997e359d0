"""Text in the making: words with the part they play, so that a listing can be written out as it is or masked."""

from __future__ import annotations

from typing import Literal, NamedTuple

from models.classifier.scenarios import CueFact

Role = Literal["plain", "name", "detail", "cue", "category"]


class Span(NamedTuple):
    """A few words.

    Parameters
    ----------
    text : str
        What the listing says.
    mask : str
        What stands there when kind and cues are masked: the same words for plain text, a placeholder for names and
        details, and for a cue the words that would stand there without it.
    role : str
        Which part the words play.
    fact : CueFact, optional
        The cue that the words are.
    """

    text: str
    mask: str
    role: Role = "plain"
    fact: CueFact | None = None


class Placement(NamedTuple):
    """Where a listing shows a cue. Offsets in code points of the field, end exclusive."""

    fact: CueFact
    field: str
    start: int
    end: int


Spans = list[Span]


def plain(text: str) -> Span:
    """Return words that say nothing about kind or cues."""
    return Span(text, text)


def written(spans: Spans, masked: bool = False) -> str:
    """Write spans out."""
    return "".join([span.mask for span in spans] if masked else [span.text for span in spans])


def placements(spans: Spans, field: str) -> list[Placement]:
    """Return where the cues of a field stand once it is written out."""
    found: list[Placement] = []
    position = 0
    for span in spans:
        end = position + len(span.text)
        if span.fact is not None:
            found.append(Placement(span.fact, field, position, end))
        position = end
    return found


def capitalised(spans: Spans) -> Spans:
    """Begin with a capital."""
    if spans:
        text, mask, role, fact = spans[0]
        spans[0] = Span(text[:1].upper() + text[1:], mask[:1].upper() + mask[1:], role, fact)
    return spans


def unmasked(spans: Spans) -> Spans:
    """Return spans that vanish when masked: words that stand there only because of a cue."""
    return [span._replace(mask="") for span in spans]


def joined(parts: list[Spans], separator: str) -> Spans:
    """Join spans; a part that is empty when masked takes its separator with it."""
    result: Spans = []
    any_masked = False
    for part in parts:
        if not part:
            continue
        shows = any(span.mask for span in part)
        if result:
            result.append(Span(separator, separator if shows and any_masked else ""))
        any_masked = any_masked or shows
        result.extend(part)
    return result
