"""Everything that a person reads about a run, in one directory: report, model card, data card."""

from __future__ import annotations

from pathlib import Path

from training.data_card import DATA_PICTURES, data_card, data_pictures
from training.model_card import model_card
from training.report import PLOT_WORDS, write_report
from training.run_record import RunRecord


def papers_beside(model: Path) -> Path:
    """Return the directory of what a person reads about the model in a directory."""
    return Path(f"{model}-report")


def write_paperwork(record: RunRecord, directory: Path) -> list[Path]:
    """Write the report and both cards, each card as HTML that stands alone and as Markdown with its pictures beside it.

    Returns
    -------
    list of Path
        The files written.
    """
    for name in (*PLOT_WORDS, *DATA_PICTURES):
        # What this run does not draw must not be left from the run before.
        (directory / f"{name}.png").unlink(missing_ok=True)
    written = write_report(record.evaluation, directory)
    pictures = {**record.evaluation.plots, **data_pictures(record)}
    files = {f"{name}.png": png for name, png in pictures.items() if name not in record.evaluation.plots}
    for name, card in (("model_card", model_card(record)), ("data_card", data_card(record))):
        files |= card.files(name, pictures)
    for name, data in files.items():
        (directory / name).write_bytes(data)
    return [*written, *(directory / name for name in files)]
