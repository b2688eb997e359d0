"""XML from outside, read element by element with every document type declaration refused.

`xml.etree.ElementTree` expands entities that a document declares itself, which a few lines can blow up to gigabytes,
and hides the parser's hooks. Entities can only be declared in a DTD, so the parser underneath (expat) is used directly
and stops at the first one. The project does without `defusedxml`, which does the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from xml.etree.ElementTree import Element
from xml.parsers import expat

from models.domain.errors import InputError
from models.sources.files import open_bytes

_CHUNK = 1 << 16
_MAX_DEPTH = 50


def local_name(tag: str) -> str:
    """Return a tag without its namespace.

    Examples
    --------
    >>> local_name("{http://example.org}product")
    'product'
    """
    return tag.rpartition("}")[2]


def elements(path: Path, names: Set[str]) -> Iterator[tuple[int, Element]]:
    """Yield (line, element) for each element whose lower-case local name is wanted, one in memory at a time.

    Raises
    ------
    InputError
        If the file is not well-formed, declares a DTD, or is nested deeper than any report.
    """
    builder = _Builder(path, names)
    with open_bytes(path) as stream:
        while True:
            chunk = stream.read(_CHUNK)
            builder.feed(chunk)
            yield from builder.done
            builder.done.clear()
            if not chunk:
                return


class _Builder:
    """Builds the wanted elements and lets everything around them go."""

    def __init__(self, path: Path, names: Set[str]) -> None:
        self.path, self.names = path, names
        self.done: list[tuple[int, Element]] = []
        self._open: list[Element] = []
        self._line = 0
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator="}")
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.buffer_text = True

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.Parse(chunk, not chunk)
        except expat.ExpatError as error:
            raise InputError(
                f"not well-formed XML: {expat.ErrorString(error.code)}",
                place=f"{self.path}: line {error.lineno}: column {error.offset + 1}",
                hint="is the file complete? download it again",
            ) from error

    def _doctype(self, *_: object) -> None:
        raise InputError(
            "the XML declares a document type (DTD), which is refused",
            place=f"{self.path}: line {self._parser.CurrentLineNumber}",
            hint="official exports have none; remove the declaration if you trust the file",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise InputError(
                f"nested more than {_MAX_DEPTH} deep",
                place=f"{self.path}: line {self._parser.CurrentLineNumber}",
                hint="this is no official report",
            )
        if not self._open and local_name(name).casefold() not in self.names:
            return
        element = Element(_tag(name), {_tag(key): value for key, value in attributes.items()})
        if self._open:
            self._open[-1].append(element)
        else:
            self._line = self._parser.CurrentLineNumber
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self.done.append((self._line, element))

    def _text(self, data: str) -> None:
        if self._open and not len(self._open[-1]):
            self._open[-1].text = (self._open[-1].text or "") + data


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
