"""Linear heads over three blocks, and a calibration that keeps the order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_matrix

from models.classifier.heads import BetaCalibration, Blocks, Calibration, LinearHeads

FINITE = st.floats(-30, 30)


@pytest.fixture
def blocks() -> Blocks:
    return Blocks(
        np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32),
        csr_matrix(np.array([[1.0, 0, 0], [0, 0.5, 0], [0, 0, 0]], dtype=np.float32)),
        np.array([[1.0, -1], [0, 2], [3, 0]]),
    )


@pytest.fixture
def heads() -> LinearHeads:
    return LinearHeads(
        np.array([[2.0, 4.0], [-1.0, 0.0]], dtype=np.float32),
        np.array([[1.0, 2, 3], [0, 4, 0]], dtype=np.float32),
        np.array([0.5, 10.0], dtype=np.float32),
        np.array([0.25, -0.25], dtype=np.float32),
    )


def test_a_logit_is_the_bias_and_the_share_of_each_block(heads: LinearHeads, blocks: Blocks) -> None:
    expected = [
        [0.25 + 2 + 1 + 0.5, -0.25 - 1 + 0 - 10],
        [0.25 + 4 + 1 + 0, -0.25 + 0 + 2 + 20],
        [0.25 + 1.2 + 3.2 + 0 + 1.5, -0.25 - 0.6 + 0 + 0],
    ]
    assert heads.logits(blocks) == pytest.approx(np.array(expected), abs=1e-6)


def test_a_listing_has_the_same_logits_alone_and_among_others(heads: LinearHeads, blocks: Blocks) -> None:
    together = heads.logits(blocks)
    alone = [heads.logits(blocks.rows(np.array([i])))[0] for i in range(len(blocks))]
    assert together == pytest.approx(np.array(alone), abs=1e-7)


def test_rows_keep_the_blocks_together(blocks: Blocks) -> None:
    some = blocks.rows(np.array([2, 0]))
    assert len(some) == 2
    assert some.dense.tolist() == blocks.dense[[2, 0]].tolist()
    assert some.sparse.toarray().tolist() == [[0, 0, 0], [1, 0, 0]]
    assert some.knowledge.tolist() == [[3, 0], [1, -1]]


@given(st.floats(0.05, 20), FINITE, FINITE, FINITE)
def test_calibration_keeps_the_order_of_the_logits(slope: float, offset: float, one: float, other: float) -> None:
    calibration = Calibration(np.array([slope]), np.array([offset]))
    less, more = calibration.probabilities(np.array([[min(one, other)], [max(one, other)]]))[:, 0]
    assert 0.0 <= less <= more <= 1.0


@given(hnp.arrays(np.float64, (4, 3), elements=FINITE))
def test_the_identity_calibration_is_the_sigmoid(logits: np.ndarray) -> None:
    assert Calibration.identity(3).probabilities(logits) == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-12)


@given(st.floats(0, 5), st.floats(0, 5), st.floats(-3, 3))
def test_a_beta_calibration_never_falls(rising: float, falling: float, offset: float) -> None:
    probabilities = BetaCalibration(rising, falling, offset).probabilities(np.linspace(-30, 30, 61))
    assert (np.diff(probabilities) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@given(st.floats(0.1, 5), st.floats(-3, 3))
def test_a_beta_calibration_of_equal_slopes_is_platts_sigmoid(slope: float, offset: float) -> None:
    logits = np.linspace(-10, 10, 21)[:, None]
    platt = Calibration(np.array([slope]), np.array([offset]))
    assert BetaCalibration(slope, slope, offset).probabilities(logits) == pytest.approx(platt.probabilities(logits))
