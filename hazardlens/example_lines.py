"""Examples as lines of the example table, in the form that `models.sources.examples` reads back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from models.domain.alert import Example

_TEXTS = ("id", "date", "lang", "title", "brand", "category", "description", "source", "url")


def example_line(example: Example) -> bytes:
    """Return one example as a line of JSON; what is empty is left out, and so are labels where nobody looked."""
    record: dict[str, Any] = {name: getattr(example, name) for name in _TEXTS if getattr(example, name)}
    record.setdefault("title", "")
    if example.captions:
        read = any(source != "given" for source in example.caption_sources)
        pairs = zip(example.captions, example.caption_sources, strict=False)
        record["captions"] = (
            [{"text": text, "source": source} for text, source in pairs] if read else list(example.captions)
        )
    if example.labels is not None:
        record["labels"] = list(example.labels)
    if example.risk_level is not None:
        record["risk_level"] = example.risk_level.value
    if example.weight != 1:
        record["sample_weight"] = example.weight
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
