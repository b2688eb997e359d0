"""Does it pay to encode texts of equal length together? Texts a second, and what batching does to the answers.

For the encoder of a model (int8) and the same encoder in fp32: one text at a time on each thread, as the server does
it, beside batches of texts that have exactly the same number of tokens, so that nothing is padded, up to a budget of
tokens. `lengths` says how many texts find company at all when a given number of them waits, which is what a server
under load has.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from real_data import directory
from tokenizers import Tokenizer

from models.classifier.classifier import HazardClassifier
from models.sources.examples import read_ordinary
from training.encoder_export import export_encoder

TEXTS = 600
BUDGETS = (256, 512, 1_024)
WAITING = (16, 64, 256)
Ids = list[int]


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", type=Path, default=Path("var/models/default"))
    arguments.add_argument("--threads", type=int, default=2)
    given = arguments.parse_args()
    model = HazardClassifier.load(given.model)
    rows, _ = read_ordinary(directory() / "ordinary_listings_sample.csv.gz")
    chosen = np.random.default_rng(0).permutation(len(rows))[:TEXTS]
    tokenizer = Tokenizer.from_file(str(given.model / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(model.settings.max_tokens)
    texts = [tokenizer.encode(model.read(rows[i].to_listing()).text.text).ids for i in chosen]
    sizes = np.array([len(ids) for ids in texts])
    print(
        f"{TEXTS} texts, {np.median(sizes):.0f} tokens in the middle, {100 * np.mean(sizes == sizes.max()):.0f} % cut"
    )
    for waiting in WAITING:
        batches = [len(b) for part in _parts(texts, waiting) for b in equal_lengths(part, 1_024)]
        print(
            f"lengths: of {waiting:3d} that wait, {np.average(batches, weights=batches):.1f} share a batch on average"
        )
    for precision, graph in (("int8", given.model / "encoder.onnx"), ("fp32", export_encoder(precision="fp32").graph)):
        compare(precision, _session(graph), texts, given.threads)


def compare(precision: str, session: ort.InferenceSession, texts: Sequence[Ids], threads: int) -> None:
    """Print the figures of one encoder."""
    singles = [[i] for i in range(len(texts))]
    alone: NDArray[np.float32] = np.zeros((len(texts), 0), np.float32)
    base = 0.0
    plans: list[tuple[str, list[list[int]]]] = [("one at a time", singles)]
    plans += [(f"equal lengths, {budget} tokens", equal_lengths(texts, budget)) for budget in BUDGETS]
    for name, batches in plans:
        vectors, rate = _timed(lambda batches=batches: _encode(session, texts, batches, threads))
        if name == "one at a time":
            alone, base = vectors, rate
        apart = float(np.abs(vectors - alone).max())
        print(f"{precision} {name:28s} {rate:6.0f} texts/s ({rate / base:.2f}), largest difference {apart:.1e}")


def equal_lengths(texts: Sequence[Ids], budget: int) -> list[list[int]]:
    """Return batches of texts with equally many tokens, at most `budget` tokens in each (or one text)."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for i, ids in enumerate(texts):
        by_length[len(ids)].append(i)
    batches = []
    for length, members in sorted(by_length.items()):
        most = max(1, budget // length)
        batches += [members[at : at + most] for at in range(0, len(members), most)]
    return batches


def _encode(
    session: ort.InferenceSession, texts: Sequence[Ids], batches: Sequence[Sequence[int]], threads: int
) -> NDArray[np.float32]:
    result = np.empty((len(texts), int(session.get_outputs()[0].shape[-1])), np.float32)
    names = [given.name for given in session.get_inputs()]

    def one(batch: Sequence[int]) -> None:
        ids = np.array([texts[i] for i in batch], np.int64)
        inputs = {name: ids if name == "input_ids" else np.ones_like(ids) for name in names}
        means = session.run(None, inputs)[0].mean(axis=1)
        result[list(batch)] = means / np.linalg.norm(means, axis=1, keepdims=True)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, batches))
    return result


def _timed(encode: Callable[[], NDArray[np.float32]]) -> tuple[NDArray[np.float32], float]:
    """Return the vectors and the best rate of three runs: others may use the machine too."""
    best = 0.0
    for _ in range(3):
        begun = time.perf_counter()
        vectors = encode()
        best = max(best, len(vectors) / (time.perf_counter() - begun))
    return vectors, best


def _session(graph: Path) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def _parts(texts: Sequence[Ids], size: int) -> list[Sequence[Ids]]:
    return [texts[at : at + size] for at in range(0, len(texts) - size + 1, size)]


if __name__ == "__main__":
    main()
