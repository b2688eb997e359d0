"""``hazardlens match``: alerts and listings in, the listings that may be of an alert's product out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hazardlens.commands.scoring import count_rows
from hazardlens.console import AsJson, ShowProgress, bar, print_json, wants_bar
from hazardlens.model_source import ModelArgument, load_model
from models.domain.errors import InputError

if TYPE_CHECKING:
    from models.domain.listing import Listing
    from models.domain.match import Match
    from models.sources.report import ReadReport

_CHUNK = 256
_ENDINGS = (".jsonl", ".jsonl.gz")


def match(
    model: ModelArgument,
    alerts: Annotated[Path, typer.Option("--alerts", metavar="F", help="Alerts, in any format that `ingest` reads.")],
    listings: Annotated[Path, typer.Option("--listings", metavar="F", help="CSV, TSV, JSON lines or Parquet.")],
    out: Annotated[Path, typer.Option("--out", metavar="F", help="Matches: .jsonl or .jsonl.gz.")],
    least: Annotated[float, typer.Option("--least", help="Least probability, above 0 and below 1.")] = 0.5,
    most: Annotated[int, typer.Option("--most", min=1, help="Most matches of one listing.")] = 5,
    progress: ShowProgress = None,
    as_json: AsJson = False,
) -> None:
    """Find the listings that may offer the product of an alert: one row a match, best first within a listing.

    A row holds listing_id, alert_id, score (a calibrated probability) and reasons, for it (+) and against it (-).
    """
    import orjson

    from hazardlens.whole_files import byte_lines, written_whole
    from models.matching.combiner import shipped_combiner
    from models.matching.matcher import AlertMatcher
    from models.matching.signing import Signer
    from models.sources.detect import read_alerts
    from models.sources.report import ReadReport

    _check(out, least)
    classifier = load_model(str(model))
    known, read = read_alerts(alerts, classifier.taxonomy)
    matcher = AlertMatcher.of(Signer(classifier, shipped_combiner().rarity), known)
    report = ReadReport(str(listings))
    total = count_rows(listings) if wants_bar(progress) else None
    matches = matched = 0
    with (
        written_whole(out) as part,
        byte_lines(part, packed=out.name.lower().endswith(".gz")) as stream,
        bar("matching", total, progress, "listing") as advance,
    ):
        offers = _readable(listings, report)
        while some := list(islice(offers, _CHUNK)):
            found = matcher.match(some, least, most)
            stream.writelines(orjson.dumps(_row(each), option=orjson.OPT_APPEND_NEWLINE) for each in found)
            matches += len(found)
            matched += len({each.listing_id for each in found})
            advance(len(some))
    summary = {
        "out": str(out),
        "alerts": len(known),
        "listings": report.read,
        "refused": {"alerts": read.refused, "listings": report.refused},
        "matched": matched,
        "matches": matches,
    }
    if as_json:
        print_json(summary)
    else:
        among = f"among {report.read:,} with {len(known):,} alerts"
        typer.echo(f"{out}: {matches:,} matches of {matched:,} listings {among}")


def _check(out: Path, least: float) -> None:
    if not out.name.lower().endswith(_ENDINGS):
        raise InputError(
            "matches cannot be written under this name", place=str(out), hint=f"end it in {' or '.join(_ENDINGS)}"
        )
    if not 0 < least < 1:
        raise InputError(f"{least} is no probability between 0 and 1", place="--least", hint="give 0.5, for example")


def _readable(path: Path, report: ReadReport) -> Iterator[Listing]:
    """Yield the listings of a table; what cannot be read is counted in the report and left out."""
    from models.sources.listings import iter_listings

    return (row.listing for row in iter_listings(path, report) if row.listing is not None)


def _row(found: Match) -> dict[str, Any]:
    return {
        "listing_id": found.listing_id,
        "alert_id": found.alert_id,
        "score": round(found.probability, 6),
        "reasons": found.reasons,
    }
