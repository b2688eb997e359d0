"""Asks the server for answers of a known kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from hazardlens.client_errors import UnexpectedAnswerError
from hazardlens.retrying import Body, Patience, lines, send

_Answer = TypeVar("_Answer", bound=BaseModel)


@dataclass(frozen=True)
class Connection:
    """A server, and the patience with it.

    Parameters
    ----------
    http : httpx.Client
        Knows the address and the key.
    patience : Patience
    """

    http: httpx.Client
    patience: Patience

    def ask(
        self,
        method: str,
        path: str,
        kind: type[_Answer],
        *,
        content: Body | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> _Answer:
        """Send a request until it is answered, and read the answer.

        Raises
        ------
        ClientError
            `UnexpectedAnswerError` if the answer is of another kind.
        """
        answer = send(
            self.http, patience or self.patience, method, path, content=content, params=params, headers=headers
        )
        return self._read(answer.content, kind, method, path)

    def rows(self, path: str, kind: type[_Answer], params: Mapping[str, str]) -> Iterator[_Answer]:
        """Yield the rows of an answer in JSON Lines, as they come."""
        for line in lines(self.http, self.patience, path, params):
            yield self._read(line, kind, "GET", path)

    def _read(self, content: bytes, kind: type[_Answer], method: str, path: str) -> _Answer:
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            found = f"{method} {self.http.base_url}{path.lstrip('/')}: {place}: {first['msg']}"
            raise UnexpectedAnswerError(found) from error
