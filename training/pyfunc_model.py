"""The artifact as an MLflow pyfunc model: a table of listings in, a table of results out.

MLflow calls `_load_pyfunc`; the module stands alone (it imports `models` only), because it travels with the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from models.classifier.classifier import HazardClassifier
from models.domain.assessment import Assessment
from models.domain.listing import Listing
from models.plan.plan import Plan
from models.plan.reading import load_plan
from models.sources.listings import listing_of

INPUT_COLUMNS = ("id", "title", "description", "brand", "category", "captions")
"""Columns of the input, all text; only ``title`` is required. Captions are separated by " ; "."""
OUTPUT_COLUMNS = ("id", "hazards", "risk_score", "risk_level", "level_probabilities", "action")
"""Columns of the output; ``hazards`` and ``level_probabilities`` are JSON objects, name -> probability."""


class ListingScorer:
    """Scores tables of listings with one model and one plan.

    Parameters
    ----------
    model : HazardClassifier
    plan : Plan
        Gives the action.
    """

    def __init__(self, model: HazardClassifier, plan: Plan) -> None:
        self.model = model
        self.plan = plan

    def predict(self, table: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return one row for each row of `table`, in its order and under its index.

        Parameters
        ----------
        table : DataFrame
            See `INPUT_COLUMNS`; others are ignored, missing cells are empty.
        params : dict, optional
            MLflow passes it; there is none.

        Raises
        ------
        ValueError
            If there is no column ``title``.
        """
        if "title" not in table.columns:
            raise ValueError(f"column 'title' is missing; columns found: {', '.join(map(str, table.columns))}")
        rows = [_result(assessment) for assessment in self.model.assess_many(_listings(table), self.plan)]
        return pd.DataFrame(rows, columns=list(OUTPUT_COLUMNS), index=table.index)


def example_input() -> pd.DataFrame:
    """Return two invented listings as the input table; MLflow stores it beside the model."""
    rows = (
        (
            "1",
            "Mini laser pointer 5000 mW, green beam, USB rechargeable",
            "Burns paper, reaches 10 km.",
            "NoName",
            "Laser pointers",
            "a hand holding a green laser pen",
        ),
        ("2", "Cotton tea towel, set of three", "Checked, machine washable.", "", "Kitchen textiles", ""),
    )
    return pd.DataFrame(rows, columns=list(INPUT_COLUMNS))


def _load_pyfunc(path: str) -> ListingScorer:
    """Load the artifact directory; MLflow calls this."""
    model = HazardClassifier.load(Path(path))
    return ListingScorer(model, load_plan().bound_to(model.guarantees))


def _listings(table: pd.DataFrame) -> Iterator[Listing]:
    columns = [name for name in INPUT_COLUMNS if name in table.columns]
    for number, cells in enumerate(table[columns].itertuples(index=False, name=None), start=1):
        record = {name: None if _missing(cell) else cell for name, cell in zip(columns, cells, strict=True)}
        listing = listing_of(record, number).listing
        if listing is None:
            raise ValueError(f"row {number} gives no listing")
        yield listing


def _missing(cell: Any) -> bool:
    # Lists of captions are cells too, and pandas would answer for each of their items.
    return cell is None or (pd.api.types.is_scalar(cell) and bool(pd.isna(cell)))


def _result(assessment: Assessment) -> tuple[str, str, float, str, str, str]:
    return (
        assessment.listing_id,
        orjson.dumps({score.risk_type: round(score.probability, 6) for score in assessment.hazards}).decode(),
        round(assessment.risk_score, 6),
        assessment.risk_level.value,
        orjson.dumps({level.value: round(p, 6) for level, p in assessment.level_probabilities.items()}).decode(),
        assessment.decision.action.value,
    )
