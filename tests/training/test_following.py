"""A link goes along with an alias, in one step, and only to artifacts that are whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from models.classifier.artifact import read_manifest
from models.domain.errors import ArtifactError, InputError
from training.following import follow_once
from training.registry import promote, resolve_model, rollback

URI = "models:/hazardlens@champion"


def test_the_link_goes_where_the_alias_goes(copied_store: str, tmp_path: Path) -> None:
    link = tmp_path / "somewhere" / "live"
    version = follow_once(URI, link, copied_store)
    assert version == read_manifest(link).version
    assert link.resolve() == resolve_model("models:/hazardlens/1", copied_store).resolve()
    promote(3, tracking_uri=copied_store)
    follow_once(URI, link, copied_store)
    assert link.resolve() == resolve_model("models:/hazardlens/3", copied_store).resolve()
    rollback(tracking_uri=copied_store)
    follow_once(URI, link, copied_store)
    assert link.resolve() == resolve_model("models:/hazardlens/1", copied_store).resolve()
    assert [path.name for path in link.parent.iterdir()] == ["live"]


def test_a_link_that_is_right_is_left_alone(copied_store: str, tmp_path: Path) -> None:
    link = tmp_path / "live"
    assert follow_once(URI, link, copied_store)
    before = link.lstat()
    assert follow_once(URI, link, copied_store) is None
    assert link.lstat().st_ino == before.st_ino


def test_an_artifact_that_is_not_whole_is_not_linked(
    copied_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "live"
    follow_once(URI, link, copied_store)
    before = link.resolve()
    shutil.copytree(before, tmp_path / "cut")
    (tmp_path / "cut" / "arrays.npz").write_bytes(b"")
    monkeypatch.setattr("training.following.resolve_model", lambda *_: tmp_path / "cut")
    with pytest.raises(ArtifactError, match=r"arrays\.npz"):
        follow_once(URI, link, copied_store)
    assert link.resolve() == before


def test_what_is_no_link_is_never_replaced(copied_store: str, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="no link"):
        follow_once(URI, tmp_path / "mine", copied_store)
    assert (tmp_path / "mine").is_dir()


def test_an_alias_that_nobody_has_is_an_error_and_makes_no_link(copied_store: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no version has the alias 'nobody'"):
        follow_once("models:/hazardlens@nobody", tmp_path / "live", copied_store)
    assert not (tmp_path / "live").exists()
