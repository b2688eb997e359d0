"""The writer's words: one file per language, and what all languages share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.domain.errors import InputError
from models.domain.resources import YAML_LOADER, datasets_dir

_Model = TypeVar("_Model", bound=BaseModel)
_SLOT = re.compile(r"\{\w+\}")

_KEPT = frozenset({"materials", "denials"})

Phrases = Annotated[list[str], Field(min_length=1)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AgePatterns(_Record):
    """How sellers of a language write age grades; `{low}` and `{high}` are numbers."""

    months: Phrases
    years: Phrases


class LanguagePhrases(_Record):
    """Harmless words of one language: none of them names a product, a defect or a cue.

    Parameters
    ----------
    title_case : bool
        Whether titles Often Look Like This.
    capitals : bool
        Whether capitals can be made and read back without harm (not in Turkish, not in scripts without case).
    accessory_after : bool
        Whether words such as "case for" follow the product's name.
    gap : str
        What stands between sentences.
    materials : list of str
        In the order of `SharedWords.material_words`, the same in every language.
    ages : AgePatterns
        Age grades.
    denials : list of str
        How a cue is denied; `{cue}` is the cue's phrase.
    """

    title_case: bool = False
    capitals: bool = True
    accessory_after: bool = False
    gap: str = " "
    titles: Phrases
    promos: Phrases
    colours: Phrases
    materials: Phrases
    measures: Phrases
    counts: Phrases
    features: Phrases
    marketing: Phrases
    feature_lines: Phrases
    service: Phrases
    attributes: dict[str, str]
    headings: Phrases
    inspector_titles: Phrases
    inspector: Phrases
    inspector_features: Phrases
    captions: Phrases
    feature_captions: Phrases
    ages: AgePatterns
    denials: Phrases

    def without(self, forbidden: Callable[[str], bool]) -> LanguagePhrases:
        """Return the phrases that a test lets through, slots taken out; a list keeps at least one phrase.

        The knowledge base is data: a cue that is added to it must not turn a harmless phrase into a label.
        """
        kept: dict[str, list[str]] = {}
        for name, value in self:
            if isinstance(value, list) and name not in _KEPT:
                good = [phrase for phrase in value if not forbidden(_SLOT.sub(" ", phrase))]
                kept[name] = good or value[:1]
        return self.model_copy(update=kept)


class SharedWords(_Record):
    """What does not depend on a language: invented brands, signs, and rules about cues."""

    brand_starts: Phrases
    brand_middles: Phrases
    brand_ends: Phrases
    emoji: Phrases
    bullets: Phrases
    title_separators: Phrases
    lines: Phrases
    fitting_cues: list[str]
    negatable_cues: list[str]
    exclusive_cues: list[list[str]]
    name_cues: list[str]
    keyboards: list[str]
    material_words: list[list[str]]


@dataclass(frozen=True)
class PhraseBook:
    """The words of every language that the writer knows, and the shared ones."""

    languages: dict[str, LanguagePhrases]
    shared: SharedWords

    def of(self, language: str) -> LanguagePhrases:
        """Return the phrases of a language; English ones where it has none of its own."""
        return self.languages.get(language, self.languages["en"])


def load_phrase_book(directory: Path | str | None = None) -> PhraseBook:
    """Read the writer's words; without a directory, those that ship with hazardlens.

    Raises
    ------
    InputError
        If a file is malformed, naming file and key, or if English is missing.
    """
    root = Path(directory) if directory is not None else datasets_dir() / "corpus"
    languages = {file.stem: _read(file, LanguagePhrases) for file in sorted((root / "phrases").glob("*.yaml"))}
    if "en" not in languages:
        raise InputError("no English phrases", place=str(root / "phrases"), hint="add en.yaml")
    shared = _read(root / "shared.yaml", SharedWords)
    for code, phrases in languages.items():
        if len(phrases.materials) != len(shared.material_words):
            raise InputError(
                f"{len(phrases.materials)} materials, {len(shared.material_words)} in shared.yaml",
                place=f"{root / 'phrases' / code}.yaml",
                hint="materials stand in the same order in every language",
            )
    return PhraseBook(languages, shared)


def _read(file: Path, model: type[_Model]) -> _Model:
    try:
        return model.model_validate(yaml.load(file.read_text(encoding="utf-8"), Loader=YAML_LOADER))
    except OSError as error:
        raise InputError("cannot be read", place=str(file), hint=str(error)) from error
    except yaml.YAMLError as error:
        raise InputError("is no YAML", place=str(file), hint=str(error).replace("\n", " ")) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", place=str(file)) from error
