"""The data card of a run: which files, how they were split, what they hold, and their traps.

After Gebru et al., "Datasheets for datasets", 2021.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from training.card_plots import label_shares_plot, years_plot
from training.card_words import DATA_TRAPS, PRIVACY
from training.cards import Block, Card, Items, Picture, Section, Table, Text
from training.data_profile import OTHERS
from training.model_card import files_table, split_blocks
from training.run_record import DASH, RunRecord, shown

DATA_PICTURES = ("hazard_shares", "years")
_LISTS = (
    ("levels", "Risk levels that a person gave"),
    ("languages", "Languages"),
    ("sources", "Sources"),
    ("categories", "Categories"),
)


def data_card(record: RunRecord) -> Card:
    """Return the data card of a run."""
    parts = parts_of(record)
    return Card(
        f"Data card: examples of hazardlens {record.version}",
        "Generated from the run: counts of the examples that the model was trained and judged on, and no text of them.",
        [
            Section("Files", list(_files(record))),
            Section("Split", list(_split(record))),
            Section("At a glance", [_overview(parts), Picture("years", "Examples by year and part.")]),
            Section("Hazards", list(_hazards(parts))),
            *(Section(title, [_counts(parts, key)]) for key, title in _LISTS if _values(parts, key)),
            Section("Text", [_lengths(parts)]),
            Section("Listings written from the knowledge base", list(_corpus(record))),
            Section("Labels to look at again", list(_noise(record))),
            Section("Traps", [Items(DATA_TRAPS)]),
            Section("People in the data", [Text(PRIVACY)]),
        ],
    )


def data_pictures(record: RunRecord) -> dict[str, bytes]:
    """Return the pictures of the data card: name -> PNG."""
    parts = parts_of(record)
    return dict(zip(DATA_PICTURES, (label_shares_plot(parts), years_plot(parts)), strict=True))


def parts_of(record: RunRecord) -> dict[str, Mapping[str, Any]]:
    """Return the profile of each part: those of the training, and the examples of a later evaluation."""
    parts = dict(record.facts.get("profile") or {})
    if not record.own_test or not parts:
        parts["evaluated here"] = record.evaluation.profile
    return parts


def _files(record: RunRecord) -> Iterator[Block]:
    data = record.facts.get("data") or []
    yield files_table(data) if data else Text("No table was given; see the listings written from the knowledge base.")


def _split(record: RunRecord) -> Iterator[Block]:
    if split := record.training.get("split"):
        yield from split_blocks(split, record.training.get("duplicates_dropped"))


def _overview(parts: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for name, part in parts.items():
        fields, hazards = part["fields"], sum(part["labels"].values())
        rows.append(
            (
                name,
                shown(part["n"]),
                shown(part["labelled"]),
                f"{hazards / part['labelled']:.2f}" if part["labelled"] else DASH,
                shown(sum(part["levels"].values())),
                shown(len(part["languages"])),
                _percent(fields["description"]),
                _percent(fields["captions"]),
            )
        )
    head = ("part", "examples", "hazards known", "hazards each", "with level", "languages", "description", "captions")
    return Table(head, rows, frozenset(range(1, len(head))))


def _hazards(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Block]:
    if _values(parts, "labels"):
        yield Picture("hazard_shares", "Share of the examples with each hazard, by part: the mix shifts with time.")
        yield _counts(parts, "labels")
        yield Text("Number of hazards of an example:")
        yield _counts(parts, "labels_per_example")
    else:
        yield Text("No example has known hazards.")


def _values(parts: Mapping[str, Mapping[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(value for part in parts.values() for value in part[key]))


def _counts(parts: Mapping[str, Mapping[str, Any]], key: str) -> Table:
    rows = [
        (value, *(_count(part[key], value) for part in parts.values()))
        for value in (sorted(_values(parts, key)) if key == "labels_per_example" else _values(parts, key))
    ]
    return Table(("", *parts), rows, frozenset(range(1, len(parts) + 1)))


def _count(counts: Mapping[str, int], value: str) -> str:
    """A count; a dash where the value may be among "all others" of a part that was counted at another time."""
    return DASH if value not in counts and OTHERS in counts else f"{counts.get(value, 0):,}"


def _lengths(parts: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = [
        (name, field, _percent(part["fields"][field]), *map(shown, quantiles))
        for name, part in parts.items()
        for field, quantiles in part["lengths"].items()
    ]
    head = ("part", "field", "have it", "10 % are shorter than", "half", "90 %")
    return Table(head, rows, frozenset({2, 3, 4, 5}))


def _corpus(record: RunRecord) -> Iterator[Block]:
    training = record.training
    if training.get("kind_listings"):
        yield Text(
            f"{training['kind_listings']:,} listings were written from the knowledge base (seed "
            f"{training.get('seed')}, SHA-256 {training.get('knowledge_sha256')}); they teach the product kinds, and "
            "the unsafe ones hazards. Every one is invented. `hazardlens corpus` writes them with a card of their own."
        )


def _noise(record: RunRecord) -> Iterator[Block]:
    noise = record.evaluation.metrics["label_noise"]
    if not noise["per_class"]:
        return
    yield Text(
        f"Of {noise['n']:,} judged examples with a hazard, {noise['flagged']:,} have a label that the model "
        "contradicts with confidence (confident learning). The report lists the least credible."
    )
    rows = [(name, shown(missing), shown(wrong)) for name, (missing, wrong) in noise["per_class"].items()]
    yield Table(("risk type", "may be missing", "may be wrong"), rows, frozenset({1, 2}))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
