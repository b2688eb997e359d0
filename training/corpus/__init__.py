"""Writes product kinds and cues of the knowledge base as listings, with labels that follow from kind and cues."""

from training.corpus.records import CorpusListing
from training.corpus.settings import STYLES, CorpusSettings, Style
from training.corpus.writer import CorpusWriter, write_corpus

__all__ = ["STYLES", "CorpusListing", "CorpusSettings", "CorpusWriter", "Style", "write_corpus"]
