"""Figures of the recall desk by period: the pledge's key figures, and how long each step took."""
