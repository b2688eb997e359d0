"""An artifact is whole or refused, and no pickle."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest

from models.classifier import artifact
from models.classifier.artifact import MANIFEST, pack_arrays, read_manifest, unpack_arrays, write_artifact
from models.classifier.classifier import HazardClassifier
from models.domain.errors import ArtifactError

FILES = {"arrays.npz": b"numbers", "parts.json": b"{}"}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_artifact(tmp_path / "model", FILES, {"labels": ["fire"]})
    return tmp_path / "model"


def manifest_with(**changes: object) -> Callable[[Path], None]:
    def change(directory: Path) -> None:
        path = directory / MANIFEST
        path.write_bytes(orjson.dumps({**orjson.loads(path.read_bytes()), **changes}))

    return change


def listing_another_file(directory: Path) -> None:
    raw = orjson.loads((directory / MANIFEST).read_bytes())
    (directory / "more.json").write_bytes(b"{}")
    raw["files"]["more.json"] = artifact._sha256(directory / "more.json")
    (directory / MANIFEST).write_bytes(orjson.dumps(raw))


DAMAGES = [
    ("a tampered file", lambda d: (d / "parts.json").write_bytes(b"[]"), "parts.json is not what the manifest says"),
    ("a file cut off", lambda d: (d / "arrays.npz").write_bytes(b"num"), "arrays.npz is not what the manifest says"),
    ("a missing file", lambda d: (d / "arrays.npz").unlink(), "arrays.npz is missing"),
    ("no manifest, as in a copy that was cut off", lambda d: (d / MANIFEST).unlink(), "no manifest.json"),
    ("a manifest cut off", lambda d: (d / MANIFEST).write_bytes(b'{"format": "haz'), "not readable"),
    ("a manifest that is a list", lambda d: (d / MANIFEST).write_bytes(b"[]"), "not readable"),
    ("a manifest without files", lambda d: (d / MANIFEST).write_bytes(b"{}"), "not readable"),
    ("a manifest whose files are a list", manifest_with(files=["parts.json"]), "not readable"),
    ("an altered version", manifest_with(version="0" * 12), "does not follow from the files"),
    ("another file in the manifest", listing_another_file, "does not follow from the files"),
    ("another format", manifest_with(format="other-model"), "'other-model'"),
    ("a later format version", manifest_with(format_version=3), "'hazardlens-model' version 3"),
    ("an older format version", manifest_with(format_version=1), "'hazardlens-model' version 1"),
    ("no directory", shutil.rmtree, "no such model directory"),
]


@pytest.mark.parametrize(("damage", "message"), [case[1:] for case in DAMAGES], ids=[case[0] for case in DAMAGES])
def test_a_damaged_artifact_is_refused_with_place_and_mend(
    written: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(written)
    with pytest.raises(ArtifactError) as caught:
        read_manifest(written)
    assert message in caught.value.message
    assert caught.value.place == str(written)
    assert caught.value.hint


def test_a_file_outside_the_directory_is_refused(written: Path) -> None:
    raw = orjson.loads((written / MANIFEST).read_bytes())
    (written.parent / "outside.json").write_bytes(b"{}")
    raw["files"] = {"../outside.json": artifact._sha256(written.parent / "outside.json")}
    raw["version"] = hashlib.sha256(orjson.dumps(raw["files"])).hexdigest()[:12]
    (written / MANIFEST).write_bytes(orjson.dumps(raw))
    with pytest.raises(ArtifactError, match=r"'\.\./outside\.json' lies outside"):
        read_manifest(written)


def test_a_whole_artifact_is_read_back(written: Path) -> None:
    manifest = read_manifest(written)
    assert set(manifest.files) == set(FILES)
    assert manifest.facts == {"labels": ["fire"]}


def test_the_version_follows_the_files_and_not_the_facts(tmp_path: Path) -> None:
    one = write_artifact(tmp_path / "one", FILES, {"a": 1})
    other = write_artifact(tmp_path / "other", dict(reversed(FILES.items())), {"a": 2})
    third = write_artifact(tmp_path / "third", {**FILES, "parts.json": b"[]"}, {"a": 1})
    assert one.version == other.version != third.version


def test_an_older_artifact_is_replaced_whole(written: Path) -> None:
    write_artifact(written, {"only.json": b"1"}, {})
    assert sorted(path.name for path in written.iterdir()) == [MANIFEST, "only.json"]
    assert [path.name for path in written.parent.iterdir()] == [written.name]


@pytest.mark.parametrize("holds", ["notes.txt", "deep/notes.txt"])
def test_a_directory_that_holds_something_else_is_left_alone(tmp_path: Path, holds: str) -> None:
    file = tmp_path / "mine" / holds
    file.parent.mkdir(parents=True)
    file.write_text("dear diary")
    with pytest.raises(ArtifactError, match=r"holds something else .*give --out another directory"):
        write_artifact(tmp_path / "mine", FILES, {})
    assert file.read_text() == "dear diary"


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("a file")
    with pytest.raises(ArtifactError, match="holds something else"):
        write_artifact(tmp_path / "model", FILES, {})
    assert (tmp_path / "model").read_text() == "a file"


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write_artifact(tmp_path / "model", FILES, {})
    assert set(read_manifest(tmp_path / "model").files) == set(FILES)


def test_a_failure_in_the_middle_leaves_the_older_artifact_whole(written: Path) -> None:
    before = read_manifest(written)
    with pytest.raises(FileNotFoundError):
        write_artifact(written, {"parts.json": b"new", "z.onnx": written / "absent.onnx"}, {})
    assert read_manifest(written) == before
    assert [path.name for path in written.parent.iterdir()] == [written.name]


def test_a_failure_in_the_middle_leaves_nothing_where_nothing_was(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_artifact(tmp_path / "model", FILES, {"facts": object()})
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_the_last_step_puts_the_older_artifact_back(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(written)
    rename = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if target == written and self.name.startswith(f".{written.name}-"):
            raise OSError("the disk says no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="the disk says no"):
        write_artifact(written, {"parts.json": b"new"}, {})
    assert read_manifest(written) == before


def test_equal_arrays_give_equal_bytes_whatever_their_order() -> None:
    arrays = {"b": np.arange(5, dtype=np.float32), "a": np.ones((2, 2))}
    assert pack_arrays(arrays) == pack_arrays(dict(reversed(arrays.items())))


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {"a": np.arange(5, dtype=np.float32), "b": np.array(3.5), "c": np.zeros((0, 4), dtype=np.int64)}
    (tmp_path / "x.npz").write_bytes(pack_arrays(arrays))
    found = unpack_arrays(tmp_path / "x.npz")
    assert {n: (v.dtype, v.tolist()) for n, v in found.items()} == {n: (v.dtype, v.tolist()) for n, v in arrays.items()}


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        unpack_arrays(tmp_path / "x.npz")


def test_a_real_artifact_holds_no_pickle(small_model_dir: Path) -> None:
    for path in small_model_dir.iterdir():
        assert path.suffix in {".json", ".jsonl", ".npz", ".npy", ".onnx"}
        assert not path.read_bytes()[:2].startswith(b"\x80")
    with zipfile.ZipFile(small_model_dir / "arrays.npz") as archive:
        for name in archive.namelist():
            assert b"'|O'" not in archive.read(name)[:128]


def test_the_manifest_of_a_real_artifact_says_what_it_is(small_model_dir: Path) -> None:
    manifest = json.loads((small_model_dir / MANIFEST).read_text())
    assert {"format", "format_version", "version", "files", "labels", "taxonomy", "metrics", "data", "training"} <= set(
        manifest
    )


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "arrays.npz", "parts.json", "knowledge.json"])
def test_a_model_with_one_altered_file_is_not_loaded(small_model_dir: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "model"
    shutil.copytree(small_model_dir, copy)
    with (copy / name).open("r+b") as stream:
        stream.seek(-1, 2)
        last = stream.read(1)
        stream.seek(-1, 2)
        stream.write(bytes([last[0] ^ 1]))
    with pytest.raises(ArtifactError, match=f"{name} is not what the manifest says"):
        HazardClassifier.load(copy)


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "arrays.npz", "parts.json", "knowledge.json"])
def test_an_artifact_that_lacks_a_part_of_a_model_is_not_loaded(
    small_model_dir: Path, tmp_path: Path, name: str
) -> None:
    files = {file: small_model_dir / file for file in read_manifest(small_model_dir).files if file != name}
    write_artifact(tmp_path / "model", files, {})
    with pytest.raises(ArtifactError, match=name):
        HazardClassifier.load(tmp_path / "model")
