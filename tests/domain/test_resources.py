"""Where the data lies, and how an error reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.domain.errors import ArtifactError, HazardlensError, InputError
from models.domain.resources import datasets_dir


def test_the_data_of_the_checkout_is_found() -> None:
    assert (datasets_dir() / "knowledge" / "kinds").is_dir()


def test_the_environment_names_another_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "taxonomy.yaml").touch()
    monkeypatch.setenv("HAZARDLENS_DATASETS", str(tmp_path))
    assert datasets_dir.__wrapped__() == tmp_path


def test_a_place_without_the_data_is_named_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDLENS_DATASETS", str(tmp_path))
    with pytest.raises(InputError, match=rf"{tmp_path} \(set HAZARDLENS_DATASETS"):
        datasets_dir.__wrapped__()


@pytest.mark.parametrize(
    ("place", "hint", "text"),
    [
        ("", "", "bad"),
        ("f.csv:3", "", "f.csv:3: bad"),
        ("", "fix it", "bad (fix it)"),
        ("f.csv:3", "fix it", "f.csv:3: bad (fix it)"),
    ],
)
def test_an_error_reads_place_message_hint(place: str, hint: str, text: str) -> None:
    assert str(InputError("bad", hint=hint, place=place)) == text


def test_every_deliberate_error_is_a_hazardlens_error() -> None:
    assert issubclass(ArtifactError, InputError)
    assert issubclass(InputError, HazardlensError)
