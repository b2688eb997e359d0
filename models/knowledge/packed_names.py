"""The names of a product kind, in few bytes: a server holds a hundred thousand of them and reads them once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

_NEXT_NAME, _NEXT_LANGUAGE = "\x1f", "\x1e"
PACKABLE = rf"^[^{_NEXT_NAME}{_NEXT_LANGUAGE}]*$"
"""Pattern of a name that can be packed: it holds none of the signs that stand between names."""


class PackedNames(Mapping[str, list[str]]):
    """Names by language code, in the order in which they were given.

    As lists of strings they take five times the memory. What is looked up is made anew each time.

    Examples
    --------
    >>> names = PackedNames({"en": ["kettle"], "de": ["Wasserkocher", "Kessel"]})
    >>> names["de"], list(names)
    (['Wasserkocher', 'Kessel'], ['en', 'de'])
    """

    __slots__ = ("_packed",)

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        lines = (_NEXT_NAME.join((code, *listed)) for code, listed in names.items())
        self._packed = _NEXT_LANGUAGE.join(lines).encode()

    def __getitem__(self, code: str) -> list[str]:
        for line in self._lines():
            found, *names = line.split(_NEXT_NAME)
            if found == code:
                return names
        raise KeyError(code)

    def __iter__(self) -> Iterator[str]:
        return (line.partition(_NEXT_NAME)[0] for line in self._lines())

    def __len__(self) -> int:
        return len(self._lines())

    def __repr__(self) -> str:
        return f"PackedNames({dict(self)})"

    def _lines(self) -> list[str]:
        return self._packed.decode().split(_NEXT_LANGUAGE) if self._packed else []
