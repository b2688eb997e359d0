from __future__ import annotations

import shutil
import string
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from models.classifier.predictions import Predictions
from models.domain.alert import Example
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, load_taxonomy
from training.evaluation import Evaluation, evaluate
from training.tracking import LoggedRun, log_run


@dataclass
class TableModel:
    """A model that looks its answers up by listing id: what it says is known, so what is measured can be computed."""

    taxonomy: Taxonomy
    thresholds: NDArray[np.float64]
    hazards: dict[str, NDArray[np.float64]]
    levels: dict[str, NDArray[np.float64]]
    version: str = "table"

    def predict(self, listings: Iterable[Listing], progress: Callable[[int], object] | None = None) -> Predictions:
        ids = [listing.id for listing in listings]
        hazards = np.array([self.hazards[i] for i in ids]).reshape(len(ids), len(self.taxonomy.names))
        levels = np.array([self.levels[i] for i in ids]).reshape(len(ids), len(RiskLevel))
        known = np.ones(len(ids))
        return Predictions(hazards, hazards, levels, 1 - levels[:, 0], known, ["en"] * len(ids), ["kind"] * len(ids))


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    return load_taxonomy()


@pytest.fixture(scope="session")
def known_examples(taxonomy: Taxonomy) -> list[Example]:
    """160 invented examples over four risk types, every tenth a vehicle, every other one with a level."""
    rng = np.random.default_rng(7)
    names = ("fire", "choking", "chemical", "cuts")
    levels = tuple(RiskLevel)
    examples = []
    for i in range(160):
        labels = tuple(sorted({names[j] for j in rng.integers(0, len(names), rng.integers(0, 3))}))
        examples.append(
            Example(
                id=f"e{i}",
                title=f"product number {i}",
                date=f"20{10 + i % 4}-03-01",
                lang=("en", "de")[i % 2],
                category="Motor vehicles" if i % 10 == 0 else "Toys",
                captions=("a toy",) if i % 3 else (),
                description="words " * int(rng.integers(0, 60)),
                labels=labels,
                risk_level=levels[len(labels) * 2] if i % 2 else None,
            )
        )
    return examples


@pytest.fixture(scope="session")
def table_model(taxonomy: Taxonomy, known_examples: list[Example]) -> Callable[..., TableModel]:
    """A function: how much the answers know (0 nothing, 1 much) -> model."""

    def build(knowledge: float = 0.6, examples: Sequence[Example] = (), seed: int = 0) -> TableModel:
        rng = np.random.default_rng(seed)
        hazards, levels = {}, {}
        for example in examples or known_examples:
            truth = np.array([name in (example.labels or ()) for name in taxonomy.names])
            noise = rng.normal(size=len(truth))
            hazards[example.id] = expit(4 * knowledge * (truth - 0.5) + noise) if knowledge < 1 else truth.astype(float)
            rank = example.risk_level.rank if example.risk_level else 0
            row = (1 - knowledge) * rng.dirichlet(np.ones(5))
            row[rank] += knowledge
            levels[example.id] = row
        return TableModel(taxonomy, np.full(len(taxonomy.names), 0.5), hazards, levels)

    return build


@pytest.fixture(scope="session")
def evaluation_of(
    table_model: Callable[..., TableModel], known_examples: list[Example], taxonomy: Taxonomy
) -> Callable[[float], Evaluation]:
    """A function: how much a model knows -> its evaluation, always on the same examples; equal ones are one."""

    @cache
    def build(knowledge: float) -> Evaluation:
        return evaluate(table_model(knowledge), known_examples, taxonomy, resamples=60)

    return build


@dataclass(frozen=True)
class LoggedStore:
    uri: str
    runs: list[LoggedRun]


@pytest.fixture(scope="session")
def logged_store(
    tmp_path_factory: pytest.TempPathFactory, small_model_dir: Path, evaluation_of: Callable[[float], Evaluation]
) -> LoggedStore:
    """A real MLflow store with three versions: a fair one, a worse one, a better one. Tests that change it copy it."""
    root = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{root / 'mlflow.db'}"
    runs = [
        log_run(
            small_model_dir,
            evaluation_of(knowledge),
            parameters={"seed": 0, "heads": {"c": knowledge}},
            run_name=f"knows {knowledge}",
            tracking_uri=uri,
        )
        for knowledge in (0.5, 0.2, 0.7)
    ]
    return LoggedStore(uri, runs)


@pytest.fixture
def copied_store(logged_store: LoggedStore, tmp_path: Path) -> str:
    """The URI of a copy of the store, free to change; the models themselves stay where they are."""
    copy = tmp_path / "copy.db"
    shutil.copyfile(logged_store.uri.removeprefix("sqlite:///"), copy)
    return f"sqlite:///{copy}"


MakeModel = Callable[[str, int], Path]


@pytest.fixture(scope="session")
def make_model(tmp_path_factory: pytest.TempPathFactory) -> MakeModel:
    """A function: pooling, seed -> directory of a tiny random multilingual model with a tokenizer of its own."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, BertTokenizerFast, set_seed

    signs = sorted({*string.ascii_lowercase, *string.digits, *"лазерная указка", *"レーザー", *",!"} - {" "})
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "laser",
        "pointer",
        "лазерная",
        "magnets",
        *signs,
        *(f"##{sign}" for sign in signs),
    ]
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))

    def make(pooling: str, seed: int) -> Path:
        root = tmp_path_factory.mktemp("tiny")
        set_seed(seed)
        config = BertConfig(
            vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
        )
        BertModel(config).save_pretrained(root / "bert")
        BertTokenizerFast(tokenizer_object=tokenizer).save_pretrained(root / "bert")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SentenceTransformer(modules=[Transformer(str(root / "bert")), Pooling(32, pooling)], device="cpu")
            model.save(str(root / "encoder"))
        return root / "encoder"

    return make


@pytest.fixture(scope="session")
def tiny_model(make_model: MakeModel) -> Path:
    return make_model("mean", 0)
