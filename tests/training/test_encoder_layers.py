"""Which layers a training keeps: some of the embedded encoder where texts are many, all in any other case."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.classifier.composing import load_boilerplate
from models.classifier.reading import ListingReader, ReadListing
from models.domain.errors import InputError
from models.domain.listing import Listing
from models.knowledge.base import load_knowledge
from training.encoder_export import EMBEDDED
from training.encoder_layers import Layers, parse_layers, shortening


@pytest.fixture(scope="module")
def read(small_knowledge_dir: Path) -> ReadListing:
    return ListingReader(load_knowledge(small_knowledge_dir), load_boilerplate()).read(
        Listing(id="1", title="Laser pointer")
    )


@pytest.mark.parametrize(("said", "meant"), [("auto", "auto"), ("all", "all"), ("0,4,5", (0, 4, 5)), ("3", (3,))])
def test_layers_are_read_from_the_command_line(said: str, meant: Layers) -> None:
    assert parse_layers(said) == meant


@pytest.mark.parametrize("said", ["", "some", "0;4", "0,4,"])
def test_what_names_no_layers_is_refused_with_the_mend(said: str) -> None:
    with pytest.raises(InputError, match=f"--layers: layers '{said}' .*as in 0,4,5"):
        parse_layers(said)


@pytest.mark.parametrize(
    ("layers", "encoder", "finetuned", "texts", "kept"),
    [
        ("auto", EMBEDDED, False, 2_000, (0, 4, 5)),
        ("auto", EMBEDDED, False, 1_999, None),
        ("auto", EMBEDDED, True, 2_000, None),
        ("auto", "another/encoder", False, 2_000, None),
        ("all", EMBEDDED, False, 2_000, None),
        ((1, 5), "another/encoder", True, 1, (1, 5)),
    ],
)
def test_auto_shortens_the_embedded_encoder_as_it_comes(
    read: ReadListing, layers: Layers, encoder: str, finetuned: bool, texts: int, kept: tuple[int, ...] | None
) -> None:
    found = shortening(layers, encoder, finetuned, [read] * texts, [], 128)
    assert (found.layers if found else None) == kept


def test_maps_are_fitted_on_written_and_real_texts_of_which_neither_drowns_the_other(read: ReadListing) -> None:
    found = shortening("auto", EMBEDDED, False, [read] * 24_000, [read] * 900, 128)
    assert found is not None
    assert len(found.texts) == 3_000 + 900
