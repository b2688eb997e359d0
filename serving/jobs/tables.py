"""The result of a job as a table: Arrow or Parquet, written piece by piece from its JSON lines."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Literal

import orjson

from models.domain.risk import RiskLevel

TableFormat = Literal["arrow", "parquet"]
_ROWS = 1_024
_VERSIONS = ("model", "plan", "taxonomy")


def table_pieces(lines: Iterable[bytes], hazards: Iterable[str], kind: TableFormat) -> Iterator[bytes]:
    """Yield the bytes of a table with one row a line.

    Parameters
    ----------
    lines : iterable of bytes
        Results as `serving.api.results` makes them.
    hazards : iterable of str
        Names of the risk types, the keys of the column `hazards`.
    """
    import pyarrow as pa

    schema, sink = _schema(pa, hazards), _Sink()
    stream = iter(lines)
    with _opened(sink, schema, kind) as table:
        while part := list(islice(stream, _ROWS)):
            rows = [table_row(orjson.loads(line)) for line in part]
            table.write_batch(pa.RecordBatch.from_pylist(rows, schema=schema))
            yield sink.drained()
    yield sink.drained()


def table_row(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result as a flat row; where there is no assessment its columns are null and `error` says why."""
    assessment, error = result["assessment"], result["error"]
    row = {"index": result["index"], "id": result["listing_id"], "error": error and error["detail"]}
    if assessment is None:
        return row
    return row | {
        "assessment_id": assessment["id"],
        "hazards": {hazard["risk_type"]: hazard["probability"] for hazard in assessment["hazards"]},
        "risk_score": assessment["risk_score"],
        "risk_level": assessment["risk_level"],
        "level_probabilities": assessment["level_probabilities"],
        "action": assessment["decision"]["action"],
        "abstains": assessment["abstains"],
        "notes": assessment["notes"],
        "tier": assessment.get("tier", "full"),
        **assessment["versions"],
    }


def _schema(pa: Any, hazards: Iterable[str]) -> Any:
    def figures(names: Iterable[str]) -> Any:
        return pa.struct([(name, pa.float64()) for name in names])

    texts = pa.list_(pa.string())
    return pa.schema(
        [
            ("index", pa.int64()),
            ("id", pa.string()),
            ("hazards", figures(hazards)),
            ("risk_score", pa.float64()),
            ("risk_level", pa.string()),
            ("level_probabilities", figures(level.value for level in RiskLevel)),
            ("action", pa.string()),
            ("abstains", texts),
            ("notes", texts),
            ("tier", pa.string()),
            ("error", pa.string()),
            ("assessment_id", pa.string()),
            *((name, pa.string()) for name in _VERSIONS),
        ]
    )


def _opened(sink: _Sink, schema: Any, kind: TableFormat) -> Any:
    import pyarrow as pa

    if kind == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(sink, schema)
    return pa.ipc.new_stream(sink, schema)


class _Sink(io.RawIOBase):
    """A file that is written only, and whose bytes are taken away as they come; it still knows its length."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def tell(self) -> int:
        """Return the length of all that was written."""
        return self._length

    def write(self, data: Any) -> int:
        """Take some bytes."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def drained(self) -> bytes:
        """Return what was written since the last call."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
