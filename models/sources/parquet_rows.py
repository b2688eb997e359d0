"""Rows of a Parquet file, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from models.domain.errors import InputError
from models.sources.rows import Row, fold_column, refuse_repeated

_BATCH = 512


def open_parquet(path: Path, wanted: frozenset[str]) -> tuple[tuple[str, ...], Iterator[Row]]:
    """Return the lower-case column names and the rows, of which only the wanted columns are read.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        file = pq.ParquetFile(path)
        names = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not readable as Parquet: {error}", place=str(path), hint="write it again") from error
    refuse_repeated(map(fold_column, names), wanted, str(path))
    return tuple(map(fold_column, names)), _rows(path, file, [n for n in names if fold_column(n) in wanted])


def _rows(path: Path, file: Any, names: list[str]) -> Iterator[Row]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH, columns=names):
            columns = {fold_column(name): _values(batch.column(name)) for name in names}
            for i in range(batch.num_rows):
                number += 1
                replaced = sum(values[i][1] for values in columns.values())
                yield Row(number, {name: values[i][0] for name, values in columns.items()}, replaced)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"the file is damaged: {error}", place=f"{path}: row {number + 1}", hint="write it again"
        ) from error
    finally:
        file.close()


def _values(column: Any) -> list[tuple[Any, int]]:
    """Return (value, bytes replaced) for each cell; text is read as bytes, because Parquet does not check it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = column.cast(pa.large_binary())
    elif pa.types.is_list(kind) and pa.types.is_string(kind.value_type):
        column = column.cast(pa.list_(pa.binary()))
    elif pa.types.is_map(kind):
        return [(None if value is None else dict(value), 0) for value in column.to_pylist()]
    return [_decoded(value) for value in column.to_pylist()]


def _decoded(value: Any) -> tuple[Any, int]:
    if isinstance(value, list):
        pairs = [_decoded(item) for item in value]
        return [item for item, _ in pairs], sum(n for _, n in pairs)
    if not isinstance(value, bytes):
        return value, 0
    try:
        return value.decode("utf-8"), 0
    except UnicodeDecodeError:
        marked = value.decode("utf-8", "surrogateescape")
        broken = [char for char in marked if "\udc80" <= char <= "\udcff"]
        return "".join("\ufffd" if "\udc80" <= char <= "\udcff" else char for char in marked), len(broken)
