"""A shorter encoder puts texts near to where the whole one puts them; what cannot be shortened is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import DistilBertConfig, DistilBertModel

from models.domain.errors import InputError
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from training.corpus.settings import CorpusSettings
from training.corpus.writer import write_corpus
from training.encoder_export import load_sentence_transformer
from training.encoder_shortening import _affine, shortened


def vectors(transformer: Any, tokenizer: Any, texts: Sequence[str]) -> np.ndarray:
    read = tokenizer(list(texts), padding=True, truncation=True, max_length=64, return_tensors="pt")
    mask = read["attention_mask"].unsqueeze(-1)
    with torch.no_grad():
        hidden = transformer(input_ids=read["input_ids"], attention_mask=read["attention_mask"]).last_hidden_state
    found = ((hidden * mask).sum(1) / mask.sum(1)).numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def written(knowledge: Knowledge, taxonomy: Taxonomy) -> list[str]:
    settings = CorpusSettings(size=300, seed=3, min_per_kind=0, languages={"en": 1.0})
    corpus = write_corpus(knowledge, taxonomy, settings)
    return list(dict.fromkeys(f"{item.listing.title}. {item.listing.description}" for item in corpus))


def test_half_of_the_layers_put_unseen_texts_near_to_where_all_of_them_do(written: list[str]) -> None:
    model = load_sentence_transformer("all-MiniLM-L6-v2")
    whole, tokenizer, unseen = model[0].auto_model.eval(), model.tokenizer, written[200:]
    wanted = vectors(whole, tokenizer, unseen)
    short = shortened(whole, tokenizer, (0, 4, 5), written[:200], 64)
    near = (vectors(short, tokenizer, unseen) * wanted).sum(axis=1).mean()
    short.encoder.layer[1].affine = torch.nn.Identity()
    without_map = (vectors(short, tokenizer, unseen) * wanted).sum(axis=1).mean()
    assert near > 0.8
    assert near > without_map + 0.1
    assert (vectors(whole, tokenizer, unseen) == wanted).all(), "the whole one stays as it is"


def test_with_all_layers_nothing_changes(tiny_model: Path) -> None:
    model = load_sentence_transformer(str(tiny_model))
    whole, texts = model[0].auto_model.eval(), ["laser pointer", "magnets"]
    short = shortened(whole, model.tokenizer, (0, 1), texts, 16)
    assert (vectors(short, model.tokenizer, texts) == vectors(whole, model.tokenizer, texts)).all()


def test_a_first_layer_can_be_left_out(tiny_model: Path) -> None:
    model = load_sentence_transformer(str(tiny_model))
    texts = [f"laser {a} {b} pointer" for a in "abcdefgh" for b in "mnopqrst"]
    short = shortened(model[0].auto_model.eval(), model.tokenizer, (1,), texts, 16)
    assert len(short.encoder.layer) == short.config.num_hidden_layers == 1
    unseen = ["pointer z laser 7", "x y magnets"]
    near = vectors(short, model.tokenizer, unseen) * vectors(model[0].auto_model, model.tokenizer, unseen)
    assert (near.sum(axis=1) > 0.9).all()


def test_an_affine_map_is_found_again() -> None:
    rng = np.random.default_rng(0)
    matrix, shift = rng.normal(size=(8, 8)), rng.normal(size=8)
    given = [rng.normal(size=(n, 8)) for n in (40, 60, 1)]
    found = _affine(iter(given), iter(x @ matrix + shift for x in given))
    unseen = rng.normal(size=(5, 8))
    made = found(torch.tensor(unseen, dtype=torch.float32)).detach().numpy()
    assert np.allclose(made, unseen @ matrix + shift, atol=0.02)


@pytest.mark.parametrize("layers", [(), (0,), (1, 0), (1, 1), (-1, 1), (0, 2)])
def test_layers_that_it_has_not_are_refused_with_those_that_it_has(tiny_model: Path, layers: tuple[int, ...]) -> None:
    model = load_sentence_transformer(str(tiny_model))
    with pytest.raises(InputError, match=r"layers .*name some of 0 to 1, rising, each once, and 1 among them"):
        shortened(model[0].auto_model, model.tokenizer, layers, ["laser"], 16)


def test_a_transformer_of_another_make_is_refused(tiny_model: Path) -> None:
    other = DistilBertModel(DistilBertConfig(vocab_size=20, dim=16, n_layers=2, n_heads=2, hidden_dim=16))
    with pytest.raises(InputError, match=r"layers of DistilBertModel are not where BERT has them .*keep all layers"):
        shortened(other, load_sentence_transformer(str(tiny_model)).tokenizer, (1,), ["laser"], 16)
