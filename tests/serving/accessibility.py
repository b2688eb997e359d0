"""What axe finds wrong with a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_OPTIONS = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
"""Levels A and AA of WCAG 2.2."""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """Return the rules that a page breaks, each with the beginnings of the elements that break it."""
    found = Axe().run(page, options=_OPTIONS).response["violations"]
    return [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
