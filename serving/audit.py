"""The logs of acts that a server keeps, by the names under which they are checked, exported and shown."""

from __future__ import annotations

from typing import Any

from serving.recalls import events as cases
from serving.review import events as reviews
from serving.store.sealed_log import SealedLog

LOGS: dict[str, SealedLog[Any]] = {"reviews": reviews.LOG, "cases": cases.LOG}
""""reviews" also holds acts on accounts and known answers; "cases" those of the recall desk."""
