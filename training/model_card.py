"""The model card of a run: what the model is for, how good it is, what it promises, where it fails.

After Mitchell et al., "Model cards for model reporting", 2019.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.card_words import ETHICS, HOW_IT_WORKS, INTENDED_USE, LIMITS, NOT_FOR
from training.cards import Block, Card, Code, Items, Picture, Section, Table, Text
from training.metrics import LEAST_POSITIVES
from training.report import BASES, CALIBRATION_WORDS, HAZARD_WORDS, LEVEL_WORDS, PLOT_WORDS
from training.review_plots import FIGURE_NAMES
from training.run_record import DASH, RunRecord, facts_table, interval, promises_table, shown
from training.screen_card import screen_blocks

_JUDGED_ON = {
    "examples": "the latest part of the given examples, held out by time and product",
    "corpus": "listings written from the knowledge base that the model has not seen: a check of the works, no measure "
    "of its worth on real listings",
}
MEASURED = (
    ("ablation", "Ablation", "What each part adds, measured without it or with it alone."),
    ("quantisation", "What int8 costs", "The encoder with 8-bit weights beside the same encoder with 32-bit ones."),
    (
        "style",
        "Style control",
        "Alerts and listings are written in different styles. These figures say how much of that reaches the scores.",
    ),
    (
        "unsafe",
        "P(unsafe)",
        "Held-out alerts against held-out ordinary listings, weighed to the stated share of unsafe offers.",
    ),
    (
        "faithfulness",
        "Faithfulness of the explanations",
        "Whether the words that are shown as reasons are the reasons.",
    ),
)
"""Facts that the training may have measured: key of the manifest, heading, what it is."""


def model_card(record: RunRecord) -> Card:
    """Return the model card of a run; what the run did not measure is left out."""
    headline = record.evaluation.metrics["headline"]
    return Card(
        f"Model card: hazardlens {record.version}",
        f"Generated from the run. Taxonomy {record.evaluation.metrics['taxonomy']}, "
        f"{len(record.evaluation.classes)} risk types. Judged on {headline['n']:,} examples.",
        [
            Section("What it is", [Text(HOW_IT_WORKS), *_made_with(record)]),
            Section("Intended use", [Items(INTENDED_USE)]),
            Section("What it is not for", [Items(NOT_FOR)]),
            Section("Data", list(_data(record))),
            Section("Split", list(_split(record))),
            Section("Figures", list(_figures(record))),
            Section("Comparison", list(_comparison(record))),
            Section("Captions removed", list(_captions(record))),
            *(
                Section(title, [Text(words), facts_table(record.facts[key])])
                for key, title, words in MEASURED
                if record.facts.get(key)
            ),
            Section("Guarantees", list(_guarantees(record))),
            Section("Screen for long lists", list(screen_blocks(record.screen)) if record.screen else []),
            Section("Ordinary listings", list(_ordinary(record))),
            Section("Limits", [Items([*LIMITS, *_own_limits(record)])]),
            Section("Ethical notes", [Items(ETHICS)]),
            Section("How to reproduce it", list(_reproduce(record))),
        ],
    )


def _made_with(record: RunRecord) -> list[Block]:
    training = record.training
    if not training:
        return []
    rows = [
        ("encoder", f"{training.get('encoder', DASH)}, {training.get('precision', DASH)}"),
        ("its layers", str(training.get("layers", DASH))),
        ("longest text", f"{training.get('max_tokens', DASH)} tokens"),
        ("fine-tuning", str(training.get("finetune", DASH))),
        ("listings written from the knowledge base", shown(training.get("kind_listings"))),
        ("examples of unsafe products", shown(training.get("hazard_listings"))),
        ("knowledge base (SHA-256)", str(training.get("knowledge_sha256", DASH))),
        ("seed", shown(training.get("seed"))),
    ]
    return [Table(("made with", ""), rows)]


def files_table(data: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of input files with their fingerprints."""
    rows = [
        (
            item["name"],
            item["role"],
            shown(item["rows"]),
            shown(item["refused"]),
            f"{item['first_day']} to {item['last_day']}" if item["first_day"] else "no dates",
            item["sha256"],
        )
        for item in data
    ]
    return Table(("file", "role", "rows", "refused", "dates", "SHA-256"), rows, frozenset({2, 3}))


def _data(record: RunRecord) -> Iterator[Block]:
    data = record.facts.get("data") or []
    if data:
        yield files_table(data)
    else:
        yield Text("No table was given: the model learnt from listings written from the knowledge base alone.")
    yield Text("What the examples hold stands in the data card beside this one.")


def _split(record: RunRecord) -> Iterator[Block]:
    split = record.training.get("split")
    if split:
        yield from split_blocks(split, record.training.get("duplicates_dropped"))


def split_blocks(split: Mapping[str, Any], duplicates: int | None) -> Iterator[Block]:
    """Yield how the examples were split: method, sizes, days."""
    yield Text(f"Split {split['method']}. Near-duplicates dropped from the training part: {shown(duplicates)}.")
    rows = [
        (part, shown(size), " to ".join(split["span"].get(part, ())) or DASH, shown(split["dropped"].get(part, 0)))
        for part, size in split["sizes"].items()
    ]
    yield Table(("part", "examples", "days", "dropped: product in a later part"), rows, frozenset({1, 3}))


def _figures(record: RunRecord) -> Iterator[Block]:
    metrics = record.evaluation.metrics
    headline = metrics["headline"]
    where = (
        _JUDGED_ON.get(str(record.facts.get("evaluated_on")), "") if record.own_test else "examples given afterwards"
    )
    apart = f" The category {metrics['apart_category']} is left out." if metrics["apart"]["n"] else ""
    yield Text(f"On {headline['n']:,} examples: {where}.{apart} Intervals: 95 %, from resampling products.")
    for part, words in ((headline["hazards"], HAZARD_WORDS), (headline["levels"], LEVEL_WORDS)):
        if part["n"]:
            rows = [
                (
                    label,
                    shown(part[key]),
                    interval(part["intervals"].get(key)),
                    shown(part[BASES.get(key, "n")]),
                    meaning,
                )
                for key, (label, meaning) in words.items()
            ]
            yield Table(("figure", "value", "95 % interval", "n", "what it means"), rows, frozenset({1, 2, 3}))
    if not headline["levels"]["n"]:
        yield Text("No example has a level that a person gave, so the levels are not judged here.")
    calibration = [
        (label, shown(part["ece"]), shown(part["brier"]), shown(part["n"]))
        for key, (label, _) in CALIBRATION_WORDS.items()
        if (part := headline["calibration"][key])["n"]
    ]
    yield Table(("probability", "calibration error", "Brier score", "n"), calibration, frozenset({1, 2, 3}))
    classes = [
        (row.name, shown(row.n), shown(row.precision), shown(row.recall), shown(row.f1), shown(row.average_precision))
        for row in sorted(record.evaluation.classes, key=lambda row: (-row.n, row.name))
        if row.n
    ]
    head = ("risk type", "n", "precision", "recall", "F1", "average precision")
    yield Table(head, classes, frozenset({1, 2, 3, 4, 5}))
    for name in ("per_class", "reliability", "capacity"):
        yield Picture(name, PLOT_WORDS[name])


def comparison_table(table: Sequence[Mapping[str, Any]]) -> Table:
    """Return a comparison for reading: the figures of each, and the differences with their intervals."""
    names = [name for name in FIGURE_NAMES if name in table[0]["figures"]]
    rows = []
    for row in table:
        if row.get("not_compared"):
            rows.append([row["name"], f"not compared: {row['not_compared']}", *[DASH] * len(names)])
            continue
        rows.append([row["name"], shown(row["n"]), *(shown(row["figures"].get(name)) for name in names)])
        if row.get("differences"):
            cells = [_difference(row["differences"].get(name)) for name in names]
            rows.append([f"{table[0]['name']} minus {row['name']}", "", *cells])
    return Table(("model", "n", *(FIGURE_NAMES[name] for name in names)), rows, frozenset(range(1, len(names) + 2)))


def _difference(found: Mapping[str, float | None] | None) -> str:
    if found is None or found["value"] is None:
        return DASH
    limits = "" if found["low"] is None else f" ({found['low']:+.3f} to {found['high']:+.3f})"
    return f"{found['value']:+.3f}{limits}"


def _comparison(record: RunRecord) -> Iterator[Block]:
    table = record.evaluation.metrics["comparisons"]
    if table:
        yield Text("Baselines learnt from the same training examples; all are judged on the same examples by one code.")
        yield comparison_table(table)
        yield Picture("comparison", PLOT_WORDS["comparison"])


def _captions(record: RunRecord) -> Iterator[Block]:
    for part in record.evaluation.metrics["captions"]:
        yield Text(f"{part['part'].capitalize()}: {part['n']:,} listings, with and without their captions.")
        yield comparison_table(part["whole"])
        yield comparison_table(part["title_only"])


def _guarantees(record: RunRecord) -> Iterator[Block]:
    promises = record.promises()
    if not promises:
        return
    yield Text("Thresholds with a finite-sample guarantee. It holds for listings like those of the calibration set.")
    yield promises_table(promises)


def _ordinary(record: RunRecord) -> Iterator[Block]:
    ordinary = record.facts.get("ordinary")
    if ordinary:
        yield Text(f"Levels of {ordinary['n']:,} ordinary listings, mostly safe by assumption and not verified.")
        rows = [(level, f"{100 * share:.1f} %") for level, share in ordinary["share"].items()]
        yield Table(("level", "share"), rows, frozenset({1}))


def _own_limits(record: RunRecord) -> Iterator[str]:
    rare = [row.name for row in record.evaluation.classes if row.n < LEAST_POSITIVES]
    if rare:
        yield f"Fewer than {LEAST_POSITIVES} cases here, so nothing is known about: {', '.join(rare)}."
    weak = [row for row in record.evaluation.classes if row.counted and row.f1 < 0.3]
    if weak:
        yield "Hardly recognised (F1 under 0.3): " + ", ".join(f"{row.name} ({row.f1:.2f})" for row in weak) + "."
    slices = [row for row in record.evaluation.slices if row["n_labelled"] >= 20 and row["top1"] is not None]
    if slices:
        worst = min(slices, key=lambda row: row["top1"])
        yield (
            f"Weakest slice of at least 20 examples: {worst['dimension']} “{worst['value']}”, first hazard right in "
            f"{worst['top1']:.2f} of {worst['n_labelled']:,}."
        )
    behind = [
        f"{row['name']} in {FIGURE_NAMES[name]}"
        for row in record.evaluation.metrics["comparisons"]
        for name, found in row.get("differences", {}).items()
        if found["high"] is not None and found["high"] < 0
    ]
    if behind:
        yield f"Clearly behind: {', '.join(behind)}."


def _reproduce(record: RunRecord) -> Iterator[Block]:
    training = record.training
    if not training:
        return
    words = ["hazardlens", "train"]
    for role in ("examples", "ordinary"):
        names = [str(item["name"]) for item in record.facts.get("data") or [] if item["role"] == role]
        words += [f"--{role}", *names] if names else []
    if Path(str(training.get("encoder", ""))).name != "all-MiniLM-L6-v2":
        words += ["--encoder", str(training.get("encoder"))]
    for option in ("--layers", "--corpus-size", "--held-out", "--finetune", "--seed"):
        key = option.removeprefix("--").replace("-", "_")
        if key in training:
            words += [option, str(training[key])]
    yield Code([shlex.join(words)])
    yield Text(
        "with the files and the knowledge base of the fingerprints above, and the versions of constraints.txt. Equal "
        f"data, settings and seed give an artifact of the same version on one machine. Examples judged here: SHA-256 "
        f"{record.evaluation.metrics['evaluation_sha256']}."
    )
