"""``hazardlens ingest`` and ``corpus``: example tables, read from official files or written from the knowledge base."""

from __future__ import annotations

import datetime as dt
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.console import AsJson, ShowProgress, TaxonomyFile, bar, print_json
from hazardlens.extras import training_extra
from hazardlens.review_database import DatabaseUrl, review_database
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.domain.alert import Example
    from models.domain.taxonomy import Taxonomy
    from models.sources.report import ReadReport
    from training.corpus import CorpusListing

_TABLES = ("csv", "tsv", "jsonl", "parquet")
DECISIONS = "decisions"
"""Source that is no file: the decisions that the server's database keeps."""
_ENDINGS = (".jsonl", ".jsonl.gz")
OutTable = Annotated[Path, typer.Option("--out", metavar="F", help="Example table: .jsonl or .jsonl.gz.")]


def ingest(
    source: Annotated[
        str,
        typer.Argument(
            metavar="F|decisions",
            help="Safety Gate XML or JSON, OpenDataSoft or CPSC JSON, or a table; `decisions`: what reviewers decided.",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", metavar="F", help="Example table: .jsonl or .jsonl.gz.")] = None,
    taxonomy: TaxonomyFile = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first bad record.")] = False,
    database: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Turn official notices or reviewers' decisions into an example table; say what was read, mended and refused.

    With --out the report goes to stdout; without it the examples do, and the report goes to stderr.
    """
    from models.domain.taxonomy import load_taxonomy

    if out is not None:
        _check_name(out)
    with _opened(source, load_taxonomy(taxonomy), strict, database) as (examples, report):
        if out is None:
            from hazardlens.example_lines import example_line

            for example in examples:
                sys.stdout.buffer.write(example_line(example))
            sys.stdout.flush()
        else:
            with _table(out) as write:
                for example in examples:
                    write(example)
    if out is not None and as_json:
        print_json(report.as_dict())
    else:
        typer.echo(_sentence(report, out), err=out is None)


def read_any(source: Path, taxonomy: Taxonomy, *, strict: bool = False) -> tuple[list[Example], ReadReport]:
    """Read examples from any known file; a table keeps its risk levels, which an alert has not."""
    from models.sources.detect import alert_format, read_alerts
    from models.sources.examples import read_examples

    if alert_format(source) in _TABLES:
        return read_examples(source, taxonomy, labelled=False, unknown="other", strict=strict)
    alerts, report = read_alerts(source, taxonomy, strict=strict)
    return [alert.to_example() for alert in alerts], report


@contextmanager
def _opened(
    source: str, taxonomy: Taxonomy, strict: bool, database: str | None
) -> Iterator[tuple[Iterable[Example], ReadReport]]:
    """Give the examples of a file, or of the database; of the latter the report is full when they are read."""
    if source != DECISIONS:
        yield read_any(Path(source), taxonomy, strict=strict)
        return
    from models.sources.report import ReadReport
    from serving.review.feedback import decided_examples

    report = ReadReport(DECISIONS)
    with review_database(database) as engine:
        yield decided_examples(engine, taxonomy, dt.datetime.now(dt.UTC), report, strict=strict), report


def corpus(
    out: OutTable,
    size: Annotated[int | None, typer.Option("--size", min=0, help="Number of listings.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="The same seed gives the same listings.")] = None,
    card: Annotated[Path | None, typer.Option("--card", metavar="F", help="Write a dataset card, in Markdown.")] = None,
    real_data: Annotated[
        Path | None, typer.Option("--real-data", metavar="DIR", help="Real listings to compare with, for the card.")
    ] = None,
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Write listings from the knowledge base, as sellers write them, with labels that follow from kind and cues."""
    from models.domain.taxonomy import load_taxonomy
    from models.knowledge.base import load_knowledge

    _check_name(out)
    # Who names a size wants that many; otherwise every kind gets its share, however many listings that takes.
    given: dict[str, Any] = {"size": size, "seed": seed, "min_per_kind": None if size is None else 0}
    with training_extra("writing a corpus"):
        from training.corpus import CorpusSettings, CorpusWriter
        from training.corpus.card import write_card

        taxonomy = load_taxonomy()
        settings = CorpusSettings(**{name: value for name, value in given.items() if value is not None})
        writer = CorpusWriter(load_knowledge(taxonomy=taxonomy), taxonomy, settings)
        with bar("writing", writer.size, progress, "listing") as advance, _table(out) as write:

            def written() -> Iterator[CorpusListing]:
                for listing in map(writer.listing, range(writer.size)):
                    # Its weights restore base rates; they do not say how sure the labels are.
                    write(replace(listing.to_example(), weight=1.0))
                    advance(1)
                    yield listing

            if card is None:
                deque(written(), maxlen=0)
            else:
                card.parent.mkdir(parents=True, exist_ok=True)
                write_card(card, written(), settings, real_data)
    if as_json:
        print_json({"out": str(out), "listings": writer.size, "seed": settings.seed, "card": card and str(card)})
    else:
        typer.echo(f"{out}: {writer.size:,} listings, seed {settings.seed}")


def _check_name(out: Path) -> None:
    if not out.name.lower().endswith(_ENDINGS):
        raise InputError(
            "examples cannot be written under this name", place=str(out), hint=f"end it in {' or '.join(_ENDINGS)}"
        )


@contextmanager
def _table(out: Path) -> Iterator[Callable[[Example], object]]:
    from hazardlens.example_lines import example_line
    from hazardlens.whole_files import byte_lines, written_whole

    with written_whole(out) as part, byte_lines(part, packed=out.name.lower().endswith(".gz")) as stream:
        yield lambda example: stream.write(example_line(example))


def _sentence(report: ReadReport, out: Path | None) -> str:
    lines = [
        f"{report.path}: {report.format}, {report.read:,} read, {report.refused:,} refused, {report.repaired:,} mended"
    ]
    refusals = [str(refusal.as_error(report.path, report.unit)) for refusal in report.refusals]
    lines += [f"refused: {refusal}" for refusal in _first(refusals)]
    if report.unknown_labels:
        names = _first([f"{name!r} x {n}" for name, n in report.unknown_labels.most_common()])
        lines.append(f"labels unknown to the taxonomy, taken as its fallback: {', '.join(names)}")
    if out is not None:
        lines.append(f"written to {out}")
    return "\n".join(lines)


def _first(items: Sequence[str], most: int = 10) -> list[str]:
    return [*items[:most], *([f"and {len(items) - most:,} more"] if len(items) > most else [])]
