"""Names of a kind, packed: what goes in comes out, in order, and nothing that would split wrongly gets in."""

import pytest
from pydantic import BaseModel, ValidationError

from models.knowledge.kinds import Names
from models.knowledge.packed_names import PackedNames

NAMES = {"en": ["kettle", "electric kettle"], "ja": ["電気ケトル"], "he": ["קומקום"], "ro": []}


class Record(BaseModel):
    """Something with names."""

    names: Names


def test_names_come_out_as_they_went_in() -> None:
    packed = PackedNames(NAMES)
    assert {code: packed[code] for code in packed} == NAMES
    assert list(packed) == list(NAMES)
    assert len(packed) == len(NAMES)
    assert packed == NAMES


def test_a_language_without_names_is_missing() -> None:
    packed = PackedNames({"en": ["kettle"]})
    assert packed.get("de", []) == []
    assert "en" in packed
    with pytest.raises(KeyError):
        packed["de"]
    assert dict(PackedNames({})) == {}


def test_a_code_is_no_prefix_of_another() -> None:
    assert PackedNames({"enx": ["a"], "en": ["b"]})["en"] == ["b"]


def test_what_is_looked_up_can_be_changed_without_harm() -> None:
    packed = PackedNames(NAMES)
    packed["en"].append("boiler")
    assert packed["en"] == NAMES["en"]


def test_a_record_carries_them_to_json_and_back() -> None:
    record = Record(names=NAMES)
    assert isinstance(record.names, PackedNames)
    assert record.model_dump() == {"names": NAMES}
    assert Record.model_validate_json(record.model_dump_json()) == record


@pytest.mark.parametrize("wrong", ["", " ", "a\x1fb", "a\x1eb", "x" * 201, 5])
def test_what_is_no_name_is_refused_with_its_place(wrong: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Record(names={"en": ["kettle", wrong]})  # type: ignore[list-item]
    assert refused.value.errors()[0]["loc"] == ("names", "en", 1)
