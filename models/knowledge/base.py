"""The knowledge base as one object: read from YAML with every problem named, carried in artifacts as JSON."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import orjson
from pydantic import BaseModel, ValidationError

from models.domain.errors import InputError
from models.domain.resources import datasets_dir
from models.domain.taxonomy import Taxonomy
from models.knowledge.kinds import Cue, LanguageProfile, ProductKind
from models.knowledge.located_yaml import LocatedYaml, Path_, read_located
from models.knowledge.vocabulary import Vocabulary

_Model = TypeVar("_Model", bound=BaseModel)
SAYS_NOTHING = "-"

_HINTS = {
    "missing": "add the key",
    "extra_forbidden": "remove the key, or correct its spelling",
    "float_type": "write a number such as 0.02 or 2.0e-4",
    "float_parsing": "write a number such as 0.02 or 2.0e-4",
    "less_than_equal": "a probability lies between 0 and 1, a severity between 1 and 4",
    "greater_than_equal": "a probability lies between 0 and 1, a severity between 1 and 4",
    "string_pattern_mismatch": "use lower-case letters, digits and hyphens",
    "list_type": "write a list: [one, two]",
    "dict_type": "write a mapping: {key: value}",
    "string_type": "quote the value",
}


@dataclass(frozen=True)
class Problem:
    """One fault of the knowledge base, with the place and the mend."""

    file: str
    line: int
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.key}: {self.message}{tail}"


@dataclass(frozen=True)
class Knowledge:
    """Product kinds, cues, languages and the gloss vocabulary.

    Parameters
    ----------
    vocabulary : mapping
        Per language, a word or phrase of that language -> English; empty for words that say nothing about a product
        ("which", "the"), written `-` in the file.
    """

    kinds: tuple[ProductKind, ...]
    cues: tuple[Cue, ...]
    languages: tuple[LanguageProfile, ...]
    vocabulary: Mapping[str, Mapping[str, str]]

    @cached_property
    def kind_by_id(self) -> dict[str, ProductKind]:
        """Kinds by their id."""
        return {kind.id: kind for kind in self.kinds}

    @cached_property
    def kind_column(self) -> dict[str, int]:
        """Position of each kind, by its id: the column of every array over kinds."""
        return {kind.id: i for i, kind in enumerate(self.kinds)}

    @cached_property
    def cue_by_id(self) -> dict[str, Cue]:
        """Cues by their id."""
        return {cue.id: cue for cue in self.cues}

    @cached_property
    def language_by_code(self) -> dict[str, LanguageProfile]:
        """Language profiles by their ISO 639-1 code."""
        return {language.code: language for language in self.languages}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the whole content."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def to_json(self) -> bytes:
        """Serialise; `from_json` reads it back without YAML, in milliseconds."""
        return orjson.dumps(
            {
                "kinds": [kind.model_dump(mode="json", by_alias=True) for kind in self.kinds],
                "cues": [cue.model_dump(mode="json", by_alias=True) for cue in self.cues],
                "languages": [language.model_dump(mode="json") for language in self.languages],
                "vocabulary": dict(self.vocabulary),
            }
        )

    @classmethod
    def from_json(cls, content: bytes) -> Knowledge:
        """Read what `to_json` wrote."""
        raw = orjson.loads(content)
        return cls(
            tuple(ProductKind.model_validate(kind) for kind in raw["kinds"]),
            tuple(Cue.model_validate(cue) for cue in raw["cues"]),
            tuple(LanguageProfile.model_validate(language) for language in raw["languages"]),
            Vocabulary.of(raw["vocabulary"]),
        )


_SHARED: WeakValueDictionary[str, Knowledge] = WeakValueDictionary()


def shared_knowledge(content: bytes, digest: str) -> Knowledge:
    """Read what `to_json` wrote; models of equal knowledge get the same object, as long as one of them lives.

    Parameters
    ----------
    digest : str
        SHA-256 (hex) of the content, already verified.
    """
    found = _SHARED.get(digest)
    if found is None:
        found = _SHARED[digest] = Knowledge.from_json(content)
    return found


def load_knowledge(directory: Path | str | None = None, taxonomy: Taxonomy | None = None) -> Knowledge:
    """Read the knowledge base; without a directory, the one that ships with hazardlens.

    Raises
    ------
    InputError
        At the first problem, saying how many there are; `check_knowledge` lists them all.
    """
    knowledge, problems = read_knowledge(directory, taxonomy)
    if problems or knowledge is None:
        first = problems[0]
        raise InputError(
            f"{first.key}: {first.message}; {len(problems)} problems in all",
            place=f"{first.file}:{first.line}",
            hint="hazardlens knowledge check lists them",
        )
    return knowledge


def read_knowledge(
    directory: Path | str | None = None, taxonomy: Taxonomy | None = None
) -> tuple[Knowledge | None, list[Problem]]:
    """Read a knowledge base and collect every problem, in the order of files and lines.

    Parameters
    ----------
    directory : path, optional
        Holds `kinds/*.yaml` and `cues/*.yaml`; `languages.yaml` and `vocabulary.csv` lie in it or in its parent.
    taxonomy : Taxonomy, optional
        Where given, categories and risk types must be its own.
    """
    root = Path(directory) if directory is not None else datasets_dir() / "knowledge"
    reader = _Reader(root, taxonomy)
    return reader.read()


class _Reader:
    def __init__(self, root: Path, taxonomy: Taxonomy | None) -> None:
        self.root = root
        self.taxonomy = taxonomy
        self.problems: list[Problem] = []
        self._faulty: set[str] = set()

    def read(self) -> tuple[Knowledge | None, list[Problem]]:
        languages = [
            language for _, _, language in self._entries(self._beside("languages.yaml"), "languages", LanguageProfile)
        ]
        cues = [
            entry for file in sorted((self.root / "cues").glob("*.yaml")) for entry in self._entries(file, "cues", Cue)
        ]
        kinds = [
            (located, path, kind)
            for file in sorted((self.root / "kinds").glob("*.yaml"))
            for located, path, kind in self._entries(file, "kinds", ProductKind)
        ]
        if not kinds and not self.problems:
            self.problems.append(
                Problem(str(self.root / "kinds"), 1, "kinds", "no product kind found", "add kinds/*.yaml")
            )
        self._check_unique(cues)
        self._check_unique(kinds)
        codes = {language.code for language in languages}
        self._check_references(kinds, {cue.id: cue.effect for _, _, cue in cues}, codes)
        for located, path, cue in cues:
            self._check_risk_types(located, path, cue.hazards, "hazards")
            self._check_risk_types(located, path, cue.introduces, "introduces")
            self._check_languages(located, (*path, "phrases"), f"{cue.id}.phrases", cue.phrases, codes)
        vocabulary = self._vocabulary(self._beside("vocabulary.csv"), codes)
        self.problems.sort(key=lambda p: (p.file, p.line))
        if self.problems:
            return None, self.problems
        return Knowledge(tuple(k for _, _, k in kinds), tuple(c for _, _, c in cues), tuple(languages), vocabulary), []

    def _beside(self, name: str) -> Path:
        return self.root / name if (self.root / name).exists() else self.root.parent / name

    def _entries(self, file: Path, key: str, model: type[_Model]) -> Iterator[tuple[LocatedYaml, Path_, _Model]]:
        try:
            located = read_located(file)
        except InputError as error:
            line = int(error.place.rsplit(":", 1)[-1]) if error.place.rsplit(":", 1)[-1].isdigit() else 1
            self.problems.append(Problem(str(file), line, key, error.message, error.hint))
            return
        if not isinstance(located.data, dict) or not isinstance(located.data.get(key), list):
            self.problems.append(Problem(str(file), 1, key, "must hold a list", f"begin the file with `{key}:`"))
            return
        family = str(located.data.get("family", file.stem))
        for i, raw in enumerate(located.data[key]):
            path: Path_ = (key, i)
            if isinstance(raw, dict) and model is ProductKind:
                raw = {**{k: v for k, v in raw.items() if v is not None}, "family": family}
            try:
                yield located, path, model.model_validate(raw)
            except ValidationError as error:
                name = raw.get("id") or raw.get("code") if isinstance(raw, dict) else None
                self._faulty.add(str(name))
                self.problems.extend(self._from_pydantic(located, path, str(name or f"{key}[{i}]"), error))

    def _from_pydantic(self, located: LocatedYaml, path: Path_, name: str, error: ValidationError) -> Iterable[Problem]:
        for fault in error.errors(include_url=False):
            keys = tuple(part for part in fault["loc"] if not (isinstance(part, str) and part.startswith("function-")))
            value = fault.get("input")
            shown = f", found {value!r}" if isinstance(value, str | int | float) else ""
            yield Problem(
                str(located.file),
                located.line_of(path + keys),
                ".".join([name, *map(str, keys)]),
                fault["msg"].removeprefix("Value error, ") + shown,
                _HINTS.get(fault["type"], ""),
            )

    def _add(self, located: LocatedYaml, path: Path_, key: str, message: str, hint: str = "") -> None:
        self.problems.append(Problem(str(located.file), located.line_of(path), key, message, hint))

    def _check_unique(self, entries: list[tuple[LocatedYaml, Path_, Any]]) -> None:
        seen: dict[str, str] = {}
        for located, path, entry in entries:
            place = f"{located.file.name}:{located.line_of(path)}"
            if entry.id in seen:
                self._add(
                    located, path, entry.id, f"id stands also at {seen[entry.id]}", "ids are unique over the whole base"
                )
            seen.setdefault(entry.id, place)

    def _check_risk_types(self, located: LocatedYaml, path: Path_, names: Iterable[str], key: str) -> None:
        if self.taxonomy is None:
            return
        for name in names:
            if name not in self.taxonomy.names:
                self._add(
                    located,
                    (*path, key, name),
                    f"{key}.{name}",
                    "no risk type of the taxonomy",
                    f"one of: {', '.join(self.taxonomy.names)}",
                )

    def _check_references(
        self, kinds: list[tuple[LocatedYaml, Path_, ProductKind]], cues: dict[str, str], languages: set[str]
    ) -> None:
        ids = {kind.id for _, _, kind in kinds} | self._faulty
        for located, path, kind in kinds:
            self._check_risk_types(located, path, kind.hazards, "hazards")
            for i, other in enumerate(kind.near):
                if other not in ids:
                    self._add(
                        located,
                        (*path, "near", i),
                        f"{kind.id}.near",
                        f"no product kind {other!r}",
                        "remove it, or add the kind",
                    )
            if self.taxonomy is not None and kind.category not in self.taxonomy.categories:
                self._add(
                    located,
                    (*path, "category"),
                    f"{kind.id}.category",
                    f"no category of the taxonomy: {kind.category!r}",
                    "categories stand in taxonomy.yaml",
                )
            for key, named in (("aggravating", kind.aggravating), ("mitigating", kind.mitigating)):
                for i, cue in enumerate(named):
                    effect = cues.get(cue, key if cue in self._faulty else "")
                    if not effect:
                        self._add(
                            located, (*path, key, i), f"{kind.id}.{key}", f"no cue {cue!r}", "cues stand in cues/*.yaml"
                        )
                    elif effect != key:
                        self._add(
                            located,
                            (*path, key, i),
                            f"{kind.id}.{key}",
                            f"cue {cue!r} is {effect}",
                            f"list it under {effect}",
                        )
            self._check_languages(located, (*path, "names"), f"{kind.id}.names", kind.names, languages)

    def _check_languages(
        self, located: LocatedYaml, path: Path_, key: str, named: Iterable[str], languages: set[str]
    ) -> None:
        for language in named:
            if language not in languages:
                self._add(
                    located,
                    (*path, language),
                    f"{key}.{language}",
                    "no such language",
                    "languages stand in languages.yaml",
                )

    def _vocabulary(self, file: Path, languages: set[str]) -> dict[str, dict[str, str]]:
        if not file.exists():
            return {}
        result: dict[str, dict[str, str]] = {}
        with file.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            header = next(rows, [])
            if header[:1] != ["en"]:
                self.problems.append(
                    Problem(str(file), 1, "header", f"begins with {header[:1]}", "the header must begin with en")
                )
            for language in header[1:]:
                if language not in languages:
                    self.problems.append(
                        Problem(str(file), 1, language, "no such language", "languages stand in languages.yaml")
                    )
            for line, row in enumerate(rows, start=2):
                if len(row) != len(header):
                    self.problems.append(
                        Problem(str(file), line, "row", f"{len(row)} cells, the header has {len(header)}")
                    )
                    continue
                english = "" if row[0].strip() == SAYS_NOTHING else row[0].strip()
                for language, cell in zip(header[1:], row[1:], strict=True):
                    for form in cell.split("|"):
                        if form.strip():
                            result.setdefault(language, {}).setdefault(form.strip(), english)
        return result
