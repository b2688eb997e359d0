"""Equal text gives equal bits, whatever stands beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.classifier.encoder import OnnxEncoder
from models.domain.errors import ArtifactError
from training.encoder_export import export_encoder


@settings(max_examples=25)
@given(st.data())
def test_a_text_alone_equals_itself_in_any_batch_bit_for_bit(
    encoder: OnnxEncoder, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    batch = data.draw(st.lists(texts, min_size=1, max_size=6))
    together = encoder.embed(batch)
    for row, text in zip(together, batch, strict=True):
        assert row.tobytes() == encoder.encode(text).embedding.tobytes()


def test_the_number_of_threads_changes_no_bit() -> None:
    exported = export_encoder()
    batch = [f"laser pointer {i} mW {'with a long description ' * (i % 7)}" for i in range(30)]
    one, many = (OnnxEncoder(exported.graph, exported.tokenizer, threads=n).embed(batch) for n in (1, 8))
    assert one.tobytes() == many.tobytes()


@settings(max_examples=25)
@given(st.data())
def test_a_text_that_the_cores_share_gives_the_same_bits(
    encoder: OnnxEncoder, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    text = data.draw(texts)
    assert encoder.encode(text, alone=True).tokens.tobytes() == encoder.encode(text).tokens.tobytes()


@settings(max_examples=25)
@given(st.data())
def test_an_embedding_has_length_one_and_follows_from_the_tokens(
    encoder: OnnxEncoder, texts: st.SearchStrategy[str], data: st.DataObject
) -> None:
    encoding = encoder.encode(data.draw(texts))
    assert np.linalg.norm(encoding.embedding) == pytest.approx(1.0, abs=1e-5)
    assert encoding.embedding * encoding.norm == pytest.approx(encoding.tokens.mean(axis=0), abs=1e-5)


@settings(max_examples=40)
@given(st.data())
def test_every_token_lies_in_the_text(encoder: OnnxEncoder, texts: st.SearchStrategy[str], data: st.DataObject) -> None:
    text = data.draw(texts)
    encoding = encoder.encode(text)
    assert len(encoding.offsets) == len(encoding.tokens)
    assert all(0 <= start <= end <= len(text) for start, end in encoding.offsets)
    assert encoding.offsets[0] == encoding.offsets[-1] == (0, 0)


def test_token_offsets_count_code_points(encoder: OnnxEncoder) -> None:
    text = "😀 café laser"
    words = {text[start:end] for start, end in encoder.encode(text).offsets}
    assert {"café", "laser"} <= words


def test_a_long_text_is_cut_at_the_limit_and_says_so(encoder: OnnxEncoder) -> None:
    encoding = encoder.encode("magnet " * 500)
    assert encoding.truncated
    assert len(encoding.tokens) == encoder.max_tokens


def test_what_stands_after_the_limit_changes_nothing(encoder: OnnxEncoder) -> None:
    head = "magnet " * 100
    assert encoder.encode(head + "laser").embedding.tobytes() == encoder.encode(head + "lamp").embedding.tobytes()


def test_a_short_text_is_not_cut(encoder: OnnxEncoder) -> None:
    assert not encoder.encode("magnet").truncated


def test_related_products_are_nearer_than_unrelated_ones(encoder: OnnxEncoder) -> None:
    laser, pointer, novel = encoder.embed(["laser pointer pen", "green laser for astronomy", "paperback crime novel"])
    assert laser @ pointer > laser @ novel


def test_equal_texts_are_encoded_once_and_all_are_counted(encoder: OnnxEncoder) -> None:
    done: list[int] = []
    embeddings = encoder.embed(["lamp", "toy", "lamp", "lamp"], done.append)
    assert embeddings.shape == (4, encoder.dimension)
    assert embeddings[0].tobytes() == embeddings[2].tobytes() == embeddings[3].tobytes()
    assert sum(done) == 4


def test_no_text_gives_no_rows(encoder: OnnxEncoder) -> None:
    assert encoder.embed([]).shape == (0, encoder.dimension)


@pytest.mark.parametrize("broken", ["encoder.onnx", "tokenizer.json"])
def test_a_file_that_is_no_encoder_is_refused_by_name(tmp_path: Path, broken: str) -> None:
    exported = export_encoder()
    files = {"encoder.onnx": exported.graph, "tokenizer.json": exported.tokenizer}
    files[broken] = tmp_path / broken
    files[broken].write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match=rf"{files['encoder.onnx']}.*not readable as an encoder"):
        OnnxEncoder(files["encoder.onnx"], files["tokenizer.json"])
