"""The card of a screen: what it promises, what it lost, what it goes by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from models.screening.score import FEATURES
from models.screening.screen import Screen
from training.cards import Block, Card, Items, Section, Table, Text
from training.run_record import promises_table, shown

WHAT_IT_IS = (
    "Static vectors distilled from the model's encoder stand in for it, and the model's own kinds and scenarios say "
    "how likely a high or serious risk is. A listing whose score is below the threshold gets the screen's answer, "
    "every other one goes to the whole model. It answers in long lists that ask for two tiers, and where a server is "
    "set so."
)
LIMITS = (
    "Lost is what the whole model calls high or serious and the screen answers alone. Where the whole model is wrong, "
    "this says nothing.",
    "The promise holds for listings like those that chose the threshold. Of another market, or another mix of goods, "
    "more may be lost: make a screen from its own listings.",
    "The bound is one of the threshold's choice. On listings that are counted afterwards the share can come out above "
    "it.",
)


def screen_blocks(screen: Screen) -> Iterator[Block]:
    """Yield what a card says of a screen: promise, losses by table, and what the score goes by."""
    yield Text(WHAT_IT_IS)
    if screen.why_not:
        yield Text(f"This one never answers: {screen.why_not}")
    yield promises_table([screen.guarantee.as_dict()], "<")
    yield Text("Listings that chose the threshold, by the table that they came from.")
    rows = [
        (each.name, shown(each.n), shown(each.screened), shown(each.positives), shown(each.lost))
        for each in screen.sources
    ]
    head = ("table", "listings", "answered by the screen", "high or serious", "of them lost")
    yield Table(head, rows, frozenset({1, 2, 3, 4}))
    yield Text("What the score goes by: weights of features of mean 0 and deviation 1; above 0 speaks for danger.")
    strongest = np.argsort(-np.abs(screen.score.weights), kind="stable").tolist()
    weights = [(FEATURES[i], shown(float(screen.score.weights[i]))) for i in strongest]
    yield Table(("feature", "weight"), weights, frozenset({1}))


def screen_card(screen: Screen, version: str) -> Card:
    """Return the card of a model's screen.

    Parameters
    ----------
    version : str
        Of the model with this screen.
    """
    sections = [Section("What it does", list(screen_blocks(screen))), Section("Limits", [Items(LIMITS)])]
    return Card(f"Screen of hazardlens {version}", "Generated when the screen was made.", sections)


def write_screen_card(screen: Screen, version: str, directory: Path) -> list[Path]:
    """Write the card as a page that stands alone and as Markdown; return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    files = screen_card(screen, version).files("screen_card", {})
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return [directory / name for name in files]
