"""Names of product kinds in the reader's language, as the knowledge base of the model in force has them."""

from __future__ import annotations

from dataclasses import dataclass

from models.knowledge.base import Knowledge


@dataclass(frozen=True)
class KindNames:
    """Names kinds.

    Parameters
    ----------
    knowledge : Knowledge
    language : str
        Of the console.
    """

    knowledge: Knowledge
    language: str

    def kind(self, kind: str, english: str = "") -> str:
        """Return the name of a kind; where there is none in the language, the English one, or else its id in words."""
        otherwise = english or kind.replace("-", " ")
        known = self.knowledge.kind_by_id.get(kind)
        if known is None or self.language == "en":
            return otherwise
        return next(iter(known.names.get(self.language, ())), otherwise)
