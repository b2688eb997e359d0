"""The largest weights of a graph are read as they are, and sessions share them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.classifier.graph_weights import largest_weights


def saved(path: Path, *tensors: onnx.TensorProto) -> Path:
    given = helper.make_tensor_value_info("x", TensorProto.INT64, [1])
    made = helper.make_tensor_value_info("y", TensorProto.INT64, [1])
    node = helper.make_node("Identity", ["x"], ["y"])
    onnx.save(helper.make_model(helper.make_graph([node], "g", [given], [made], list(tensors))), str(path))
    return path


@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int8, np.uint8])
def test_the_largest_weights_are_read_with_their_name_and_shape(tmp_path: Path, kind: type[np.generic]) -> None:
    large = np.arange(600).reshape(20, 30).astype(kind)
    tensors = [
        numpy_helper.from_array(a, n) for n, a in (("small", large[:2]), ("words", large), ("one", large[0, :1]))
    ]
    found = largest_weights(saved(tmp_path / "g.onnx", *tensors))
    assert found is not None
    assert found.name == "words"
    assert found.values.dtype == kind
    assert np.array_equal(found.values, large)


def test_weights_of_another_form_are_left_to_the_runtime(tmp_path: Path) -> None:
    assert largest_weights(saved(tmp_path / "none.onnx")) is None
    whole = numpy_helper.from_array(np.arange(9, dtype=np.int64), "numbers")
    assert largest_weights(saved(tmp_path / "int64.onnx", whole)) is None
    listed = helper.make_tensor("listed", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])
    assert not listed.raw_data
    assert largest_weights(saved(tmp_path / "listed.onnx", listed)) is None


def test_what_is_no_graph_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "g.onnx").write_bytes(b"\x3a\xff\xff\xff")
    with pytest.raises((ValueError, IndexError)):
        largest_weights(tmp_path / "g.onnx")
