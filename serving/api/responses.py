"""JSON answers by orjson."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Response

from serving.api.problems import Problem


class JsonResponse(Response):
    """A JSON answer; values may hold `orjson.Fragment`, pydantic's own JSON that is not parsed again."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the body."""
        return orjson.dumps(content)


class ProblemResponse(JsonResponse):
    """A problem as an answer, with its status."""

    media_type = "application/problem+json"

    def __init__(self, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.model_dump(), problem.status, {"Cache-Control": "no-store", **(headers or {})})
