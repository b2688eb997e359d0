"""Product kinds and coverage as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hazardlens.knowledge_coverage import Coverage
    from models.knowledge.base import Knowledge
    from models.knowledge.kinds import Cue, ProductKind

_SHOWN = 12


def kind_text(kind: ProductKind, knowledge: Knowledge, *, languages: bool) -> str:
    """Return one product kind, with its names and the phrases of its cues in English or in every language."""
    codes = [language.code for language in knowledge.languages] if languages else ["en"]
    lines = [
        f"{kind.name}  ({kind.id})",
        f"  category    {kind.category}",
        f"  family      {kind.family}",
        f"  consumers   {kind.consumers.replace('_', ' ')}",
        f"  level       {kind.level.value}; P(unsafe) {kind.unsafe:g}",
    ]
    if kind.prohibited:
        lines.append(f"  prohibited  {kind.prohibited}")
    lines += _words("names", kind.names, codes)
    if kind.hazards:
        lines.append("  hazards     share of unsafe ones, severity 1 to 4, P(injury | hazard)")
    for name, hazard in sorted(kind.hazards.items(), key=lambda item: (-item[1].share, item[0])):
        lines.append(f"    {name}: {hazard.share:g}, {hazard.severity}, {hazard.injury:g}; {hazard.scenario}")
    for title, ids in (("aggravating", kind.aggravating), ("mitigating", kind.mitigating)):
        lines += [f"  {title}"] if ids else []
        for cue in map(knowledge.cue_by_id.__getitem__, ids):
            lines += [f"    {cue.id}: {_effect(cue)}", *_words("  ", cue.phrases, codes)]
    for title, items in (("details", kind.details), ("looks like", kind.near)):
        if items:
            lines.append(f"  {title:<11} {', '.join(items)}")
    return "\n".join(lines)


def coverage_text(coverage: Coverage) -> str:
    """Return a coverage as tables."""
    lines = [
        f"{coverage.kinds} product kinds, {coverage.harmless} of them harmless, {coverage.prohibited} prohibited; "
        f"{coverage.cues} cues, {coverage.cues_worded:.1%} of cue phrases in the required languages",
        "",
        f"{'language':<24}{'kinds named':>12}{'cues worded':>13}",
    ]
    for language in coverage.languages:
        label = f"{language.code}  {language.name}{'' if language.required else ' (extra)'}"
        lines.append(f"{label:<24}{language.kinds_named:>12.1%}{language.cues_worded:>13.1%}")
    lines += ["", "kinds  category"]
    for category, count in sorted(coverage.categories.items(), key=lambda item: (-item[1], item[0])):
        lines.append(f"{count:>5}  {category}")
    incomplete = [f"{language.code} ({len(language.kinds_missing)} kinds)" for language in coverage.incomplete]
    lines += [
        "",
        _gap("required languages with missing names", incomplete),
        _gap("consumer categories without a kind", coverage.consumer_categories_without_kind),
        _gap("hazards without a kind", coverage.hazards_without_kind),
        _gap("cues used by no kind", coverage.cues_of_no_kind),
    ]
    return "\n".join(lines)


def _words(title: str, words: Mapping[str, list[str]], codes: Sequence[str]) -> list[str]:
    found = [(code, words[code]) for code in codes if words.get(code)]
    if len(codes) == 1:
        return [f"  {title:<11} {', '.join(texts)}" for _, texts in found]
    return [f"  {title}", *(f"    {code}  {', '.join(texts)}" for code, texts in found)]


def _effect(cue: Cue) -> str:
    parts = [f"odds of unsafe x {cue.unsafe:g}"]
    parts += [f"{name} x {factor:g}" for name, factor in cue.hazards.items()]
    if cue.injury != 1.0:
        parts.append(f"injury x {cue.injury:g}")
    parts += [f"brings {name}" for name in cue.introduces]
    if cue.age is not None:
        bounds = ((" from", cue.age.from_), (" below", cue.age.below))
        bound = "".join(f"{word} {months} months" for word, months in bounds if months is not None)
        parts.append(f"fires on an age{bound}")
    if cue.quantity is not None:
        limits = ((" above", cue.quantity.above), (" below", cue.quantity.below))
        bound = "".join(f"{word} {value:g} {cue.quantity.unit}" for word, value in limits if value is not None)
        parts.append(f"fires on a quantity{bound}")
    return ", ".join(parts)


def _gap(title: str, items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more (--json lists them)" if len(items) > _SHOWN else ""
    return f"{title}: {', '.join(items[:_SHOWN]) + more if items else 'none'}"
