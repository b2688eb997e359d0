"""The five ways a listing is written. Kind and cues fill the slots; nothing here looks at the labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from training.corpus.features import Feature, Place
from training.corpus.language_kit import LanguageKit, Templates
from training.corpus.ordering import strolled
from training.corpus.phrase_book import SharedWords
from training.corpus.scene import Scene
from training.corpus.settings import Style
from training.corpus.spans import Span, Spans, capitalised, joined, plain

_ATTRIBUTE_SLOTS = ("brand", "colour", "material", "measure", "model", "count", "name", "detail")


@dataclass
class Draft:
    """A listing in spans."""

    title: Spans = field(default_factory=list)
    description: Spans = field(default_factory=list)
    captions: list[Spans] = field(default_factory=list)
    attributes: list[tuple[str, Spans]] = field(default_factory=list)


@dataclass(frozen=True)
class Desk:
    """What a writer has before it: the words of the listing, of the language, and chance.

    Parameters
    ----------
    stuffed : bool
        Whether the title holds several synonyms.
    name_cue : Span, optional
        A cue that stands at the name in the title.
    """

    scene: Scene
    kit: LanguageKit
    shared: SharedWords
    features: Sequence[Feature]
    rng: Random
    stuffed: bool
    name_cue: Span | None = None

    def fill(self, templates: Templates) -> Spans:
        """Return one of some patterns, filled and beginning with a capital."""
        return capitalised(templates[int(self.rng.random() * len(templates))].filled(self.scene))

    def several(self, templates: Templates, count: int) -> list[Spans]:
        """Return that many patterns, filled, none twice; those with an empty slot are passed over."""
        found: list[Spans] = []
        for template in strolled(templates, self.rng):
            if len(found) == count:
                break
            spans = template.filled(self.scene)
            if spans:
                found.append(capitalised(spans))
        return found

    def features_in(self, *places: Place) -> list[Feature]:
        """Return the features of some places that say something."""
        return [feature for feature in self.features if feature.place in places and (feature.filler or feature.fact)]

    def told(self, feature: Feature, templates: Templates) -> Spans:
        """Return a sentence about a feature."""
        self.scene.feature = feature.spans()
        return feature.told(self.fill(templates))

    def number(self, low: int, high: int) -> int:
        """Return a number from low to high, both included."""
        return low + int(self.rng.random() * (high - low + 1))


def drafted(style: Style, desk: Desk) -> Draft:
    """Write a listing in a style."""
    draft = Draft()
    desk.scene.in_title = True
    draft.title = _title(desk, desk.kit.inspector_titles if style == "inspector" else desk.kit.titles)
    desk.scene.in_title = False
    _BODIES[style](desk, draft)
    if style != "attributes" and desk.rng.random() < 0.2:
        draft.attributes = _attribute_table(desk, desk.number(1, 3))
    if desk.rng.random() < 0.25:
        draft.captions = [desk.fill(desk.kit.captions) for _ in range(desk.number(1, 2))]
    draft.captions += [desk.told(feature, desk.kit.feature_captions) for feature in desk.features_in("caption")]
    return draft


def _title(desk: Desk, templates: Templates) -> Spans:
    scene, rng = desk.scene, desk.rng
    scene.promoted = rng.random() < 0.5
    spans = templates[int(rng.random() * len(templates))].filled(scene)
    if desk.name_cue is not None:
        spans = _with_name_cue(spans, desk.name_cue, desk.kit.phrases.accessory_after)
    parts = [spans]
    separator = scene.pick(desk.shared.title_separators)
    if desk.stuffed:
        parts += [scene("alias") for _ in range(desk.number(1, 3))]
    parts += [feature.spans() for feature in desk.features_in("title")]
    if rng.random() < 0.15:
        parts = [*parts[1:], parts[0]]
    return joined(parts, separator)


def _with_name_cue(spans: Spans, cue: Span, after: bool) -> Spans:
    gap = Span(" ", "")
    for i, span in enumerate(spans):
        if span.role == "name":
            beside = [gap, cue] if after else [cue, gap]
            return [*spans[: i + 1], *beside, *spans[i + 1 :]] if after else [*spans[:i], *beside, *spans[i:]]
    return [*spans, gap, cue]


def _rich(desk: Desk, draft: Draft) -> None:
    kit, rng = desk.kit, desk.rng
    sentences = desk.several(kit.marketing, desk.number(3, 9))
    for feature in desk.features_in("body"):
        sentences.insert(int(rng.random() * (len(sentences) + 1)), desk.told(feature, kit.feature_lines))
    blocks = [joined(sentences, kit.phrases.gap)]
    if rng.random() < 0.5:
        blocks.insert(0, [plain(desk.scene.pick(kit.phrases.headings))])
    if rng.random() < 0.6:
        blocks.append(joined([desk.scene("detail") for _ in range(desk.number(2, 4))], "; "))
    blocks += [[plain(line)] for line in strolled(kit.phrases.service, rng, desk.number(0, 3))]
    draft.description = joined(blocks, desk.scene.pick(desk.shared.lines[:3]))


def _bullets(desk: Desk, draft: Draft) -> None:
    scene, rng = desk.scene, desk.rng
    fillers = strolled(desk.kit.phrases.features, rng, desk.number(1, 5))
    points: list[Spans] = [capitalised([plain(filler)]) for filler in fillers]
    points += [capitalised(scene("detail")) for _ in range(desk.number(1, 3))]
    points += [desk.told(feature, desk.kit.feature_lines) for feature in desk.features_in("body")]
    points += desk.several(desk.kit.marketing, desk.number(0, 3))
    points = [point for point in points if point]
    rng.shuffle(points)
    mark = scene.pick(desk.shared.bullets)
    marked = [[Span(mark, mark if any(span.mask for span in point) else ""), *point] for point in points]
    if rng.random() < 0.4:
        marked.append([plain(scene.pick(desk.kit.phrases.service))])
    draft.description = joined(marked, scene.pick(desk.shared.lines))


def _table(desk: Desk, draft: Draft) -> None:
    draft.attributes = _attribute_table(desk, desk.number(3, 6))
    features = desk.features_in("body")
    said = joined([feature.spans() for feature in features], ", ")
    if said:
        draft.attributes.append((desk.kit.phrases.attributes["feature"], said))
    if desk.rng.random() < 0.4:
        draft.description = joined(desk.several(desk.kit.marketing, 1), "")


def _inspected(desk: Desk, draft: Draft) -> None:
    sentences = desk.several(desk.kit.inspector, desk.number(1, 3))
    sentences += [desk.told(feature, desk.kit.inspector_features) for feature in desk.features_in("body")]
    draft.description = joined(sentences, desk.kit.phrases.gap)


def _title_only(desk: Desk, draft: Draft) -> None:
    """Write nothing below the title, as most sellers do."""


def _attribute_table(desk: Desk, rows: int) -> list[tuple[str, Spans]]:
    slots = strolled(_ATTRIBUTE_SLOTS, desk.rng, rows)
    table = [(desk.kit.phrases.attributes[slot], desk.scene(slot)) for slot in slots]
    return [(name, spans) for name, spans in table if spans]


_BODIES: dict[Style, Callable[[Desk, Draft], None]] = {
    "seller_rich": _rich,
    "seller_title_only": _title_only,
    "seller_bullets": _bullets,
    "attributes": _table,
    "inspector": _inspected,
}
