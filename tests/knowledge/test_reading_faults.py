"""Every fault of a knowledge base is reported with file, line, key and mend."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Problem, load_knowledge, read_knowledge

KINDS = """\
family: toys
kinds:
  - id: magnet-toy
    category: Toys
    consumers: vulnerable
    level: serious
    unsafe: 0.5
    hazards:
      choking: {share: 0.5, severity: 4, injury: 0.001, scenario: A child swallows a magnet.}
    aggravating: [small-parts]
    mitigating: [closed]
    near: [book]
    names:
      en: [magnet toy]
      de: [Magnetspielzeug]
  - id: book
    category: Other
    consumers: other
    level: none
    unsafe: 0.01
    names: {en: [book]}
"""
CUES = """\
cues:
  - id: small-parts
    effect: aggravating
    unsafe: 2.5
    hazards: {choking: 4}
    phrases:
      en: [small parts]
  - id: closed
    effect: mitigating
    unsafe: 0.5
"""
LANGUAGES = """\
languages:
  - {code: en, name: English}
  - {code: de, name: German}
"""
VOCABULARY = "en,de\ntoy,Spielzeug|Spielzeuge\nball,Ball\n"
FILES = {"kinds/toys.yaml": KINDS, "cues/all.yaml": CUES, "languages.yaml": LANGUAGES, "vocabulary.csv": VOCABULARY}

MakeBase = Callable[[dict[str, str]], Path]

FAULTS = [
    # what, file, old text, new text, line, key, words of the message, words of the mend
    (
        "a key twice",
        "kinds/toys.yaml",
        "    category: Toys",
        "    category: Toys\n    category: Toys",
        5,
        "kinds",
        "'category' stands twice",
        "keep one",
    ),
    (
        "unknown category",
        "kinds/toys.yaml",
        "category: Toys",
        "category: Toyz",
        4,
        "magnet-toy.category",
        "'Toyz'",
        "taxonomy.yaml",
    ),
    (
        "unknown aggravating cue",
        "kinds/toys.yaml",
        "[small-parts]",
        "[tiny-parts]",
        10,
        "magnet-toy.aggravating",
        "'tiny-parts'",
        "cues/*.yaml",
    ),
    (
        "unknown mitigating cue",
        "kinds/toys.yaml",
        "[closed]",
        "[shut]",
        11,
        "magnet-toy.mitigating",
        "'shut'",
        "cues/*.yaml",
    ),
    (
        "a mitigating cue named as aggravating",
        "kinds/toys.yaml",
        "[small-parts]",
        "[closed]",
        10,
        "magnet-toy.aggravating",
        "'closed' is mitigating",
        "under mitigating",
    ),
    (
        "severity 5",
        "kinds/toys.yaml",
        "severity: 4",
        "severity: 5",
        9,
        "magnet-toy.hazards.choking.severity",
        "found 5",
        "between 1 and 4",
    ),
    (
        "severity 0",
        "kinds/toys.yaml",
        "severity: 4",
        "severity: 0",
        9,
        "magnet-toy.hazards.choking.severity",
        "found 0",
        "between 1 and 4",
    ),
    (
        "share above 1",
        "kinds/toys.yaml",
        "share: 0.5",
        "share: 1.5",
        9,
        "magnet-toy.hazards.choking.share",
        "found 1.5",
        "between 0 and 1",
    ),
    ("a number in words", "kinds/toys.yaml", "unsafe: 0.5", "unsafe: often", 7, "magnet-toy.unsafe", "'often'", "0.02"),
    (
        "level against the matrix",
        "kinds/toys.yaml",
        "level: serious",
        "level: low",
        3,
        "magnet-toy",
        "'low' but unsafe x share x injury gives 'serious'",
        "",
    ),
    ("unknown level", "kinds/toys.yaml", "level: serious", "level: awful", 6, "magnet-toy.level", "'awful'", ""),
    ("no English name", "kinds/toys.yaml", "      en: [magnet toy]\n", "", 3, "magnet-toy", "names.en is missing", ""),
    ("no names", "kinds/toys.yaml", "    names: {en: [book]}\n", "", 16, "book.names", "required", "add the key"),
    (
        "an empty name",
        "kinds/toys.yaml",
        "[Magnetspielzeug]",
        "['']",
        15,
        "magnet-toy.names.de.0",
        "at least 1 character",
        "",
    ),
    (
        "a name that is no list",
        "kinds/toys.yaml",
        "[Magnetspielzeug]",
        "Magnetspielzeug",
        15,
        "magnet-toy.names.de",
        "list",
        "[one, two]",
    ),
    (
        "unknown language",
        "kinds/toys.yaml",
        "      de: [",
        "      xx: [",
        15,
        "magnet-toy.names.xx",
        "no such language",
        "languages.yaml",
    ),
    (
        "unknown near",
        "kinds/toys.yaml",
        "near: [book]",
        "near: [books]",
        12,
        "magnet-toy.near",
        "'books'",
        "add the kind",
    ),
    (
        "unknown risk type",
        "kinds/toys.yaml",
        "      choking:",
        "      chocking:",
        9,
        "hazards.chocking",
        "no risk type",
        "choking",
    ),
    (
        "misspelt key",
        "kinds/toys.yaml",
        "consumers: other",
        "consumer: other",
        18,
        "book.consumer",
        "not permitted",
        "spelling",
    ),
    (
        "unknown consumers",
        "kinds/toys.yaml",
        "consumers: other",
        "consumers: nobody",
        18,
        "book.consumers",
        "'nobody'",
        "",
    ),
    ("id with a capital", "kinds/toys.yaml", "id: book", "id: Book", 16, "Book.id", "'Book'", "lower-case"),
    (
        "the same id twice",
        "kinds/toys.yaml",
        "id: book",
        "id: magnet-toy",
        16,
        "magnet-toy",
        "also at toys.yaml:3",
        "unique",
    ),
    ("malformed YAML", "kinds/toys.yaml", "near: [book]", "near: [book", 13, "kinds", "YAML", "quote"),
    ("a tab", "kinds/toys.yaml", "    category: Toys", "\tcategory: Toys", 4, "kinds", "YAML", ""),
    (
        "a family without kinds",
        "kinds/toys.yaml",
        KINDS,
        "family: toys\n",
        1,
        "kinds",
        "must hold a list",
        "begin the file",
    ),
    ("an empty file", "kinds/toys.yaml", KINDS, "", 1, "kinds", "must hold a list", "begin the file"),
    (
        "a kind that is a word",
        "kinds/toys.yaml",
        "  - id: book",
        "  - pen\n  - id: book",
        16,
        "kinds[1]",
        "dictionary",
        "",
    ),
    (
        "a cue whose factor contradicts its effect",
        "cues/all.yaml",
        "unsafe: 2.5",
        "unsafe: 0.5",
        2,
        "small-parts",
        "disagree",
        "",
    ),
    ("a cue with factor 0", "cues/all.yaml", "unsafe: 0.5", "unsafe: 0", 10, "closed.unsafe", "greater than 0", ""),
    (
        "a cue with an unknown risk type",
        "cues/all.yaml",
        "choking: 4",
        "coughing: 4",
        5,
        "hazards.coughing",
        "no risk type",
        "choking",
    ),
    (
        "a cue in an unknown language",
        "cues/all.yaml",
        "      en: [",
        "      xx: [",
        7,
        "small-parts.phrases.xx",
        "no such language",
        "languages.yaml",
    ),
    (
        "a language code in words",
        "languages.yaml",
        "code: de",
        "code: german",
        3,
        "german.code",
        "'german'",
        "lower-case",
    ),
    ("a ragged vocabulary row", "vocabulary.csv", "ball,Ball", "ball", 3, "row", "1 cells, the header has 2", ""),
    (
        "a vocabulary in an unknown language",
        "vocabulary.csv",
        "en,de",
        "en,xx",
        1,
        "xx",
        "no such language",
        "languages.yaml",
    ),
    (
        "a vocabulary without English first",
        "vocabulary.csv",
        "en,de",
        "de,en",
        1,
        "header",
        "begins with ['de']",
        "begin with en",
    ),
]


@pytest.fixture
def make_base(tmp_path: Path) -> MakeBase:
    """Write a small base with some files changed; an empty name leaves a file out."""

    def make(changed: dict[str, str]) -> Path:
        for name, content in {**FILES, **changed}.items():
            file = tmp_path / "base" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return tmp_path / "base"

    return make


def problems_of(directory: Path, taxonomy: Taxonomy) -> list[Problem]:
    knowledge, problems = read_knowledge(directory, taxonomy)
    assert (knowledge is None) == bool(problems)
    return problems


def test_the_small_base_has_no_fault_before_it_is_broken(make_base: MakeBase, taxonomy: Taxonomy) -> None:
    assert problems_of(make_base({}), taxonomy) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "key", "message", "mend"),
    [fault[1:] for fault in FAULTS],
    ids=[fault[0] for fault in FAULTS],
)
def test_a_fault_is_reported_with_file_line_key_and_mend(
    make_base: MakeBase, taxonomy: Taxonomy, file: str, old: str, new: str, line: int, key: str, message: str, mend: str
) -> None:
    assert FILES[file].count(old) == 1
    directory = make_base({file: FILES[file].replace(old, new)})
    problems = problems_of(directory, taxonomy)
    fitting = [p for p in problems if (p.file, p.line, p.key) == (str(directory / file), line, key)]
    assert fitting, "\n".join(map(str, problems))
    assert any(message in p.message and mend in p.hint for p in fitting), "\n".join(map(str, fitting))


def test_all_faults_are_reported_at_once_in_the_order_of_files_and_lines(
    make_base: MakeBase, taxonomy: Taxonomy
) -> None:
    directory = make_base(
        {
            "kinds/toys.yaml": KINDS.replace("category: Toys", "category: Toyz").replace("[small-parts]", "[tiny]"),
            "cues/all.yaml": CUES.replace("unsafe: 2.5", "unsafe: 0.5"),
        }
    )
    found = [(Path(p.file).name, p.line) for p in problems_of(directory, taxonomy)]
    assert found == sorted(found)
    assert {("all.yaml", 2), ("toys.yaml", 4), ("toys.yaml", 10)} <= set(found)


def test_a_fault_in_one_entry_does_not_hide_that_another_refers_to_it(make_base: MakeBase, taxonomy: Taxonomy) -> None:
    directory = make_base({"cues/all.yaml": CUES.replace("unsafe: 2.5", "unsafe: 0.5")})
    assert [p.key for p in problems_of(directory, taxonomy)] == ["small-parts"]


def test_a_base_without_kinds_says_so(tmp_path: Path, taxonomy: Taxonomy) -> None:
    (tmp_path / "languages.yaml").write_text(LANGUAGES, encoding="utf-8")
    assert [p.message for p in problems_of(tmp_path, taxonomy)] == ["no product kind found"]


def test_a_missing_language_file_is_named(tmp_path: Path, taxonomy: Taxonomy) -> None:
    assert [p.message for p in problems_of(tmp_path / "absent", taxonomy)] == ["no such file"]


def test_loading_a_faulty_base_names_the_first_place_and_the_number_of_faults(
    make_base: MakeBase, taxonomy: Taxonomy
) -> None:
    directory = make_base({"kinds/toys.yaml": KINDS.replace("Toys", "Toyz").replace("[small-parts]", "[tiny]")})
    with pytest.raises(
        InputError, match=r"toys\.yaml:4: magnet-toy\.category: .*; 2 problems in all \(hazardlens knowledge check"
    ):
        load_knowledge(directory, taxonomy)


def test_without_a_taxonomy_categories_and_risk_types_are_free(make_base: MakeBase) -> None:
    foreign = KINDS.replace("category: Toys", "category: Gizmos").replace("choking:", "haunting:")
    knowledge, problems = read_knowledge(make_base({"kinds/toys.yaml": foreign}))
    assert problems == []
    assert knowledge is not None
    assert knowledge.kind_by_id["magnet-toy"].category == "Gizmos"


def test_languages_and_vocabulary_may_lie_beside_the_base(make_base: MakeBase) -> None:
    directory = make_base({})
    for name in ("languages.yaml", "vocabulary.csv"):
        (directory / name).rename(directory.parent / name)
    assert load_knowledge(directory).vocabulary == {"de": {"Spielzeug": "toy", "Spielzeuge": "toy", "Ball": "ball"}}


def test_a_problem_reads_file_line_key_message_mend() -> None:
    assert (
        str(Problem("kinds/a.yaml", 7, "pen.level", "is wrong", "mend it"))
        == "kinds/a.yaml:7: pen.level: is wrong (mend it)"
    )
