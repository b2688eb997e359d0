"""The words of a taxonomy and a knowledge base, against which a plan is checked."""

from __future__ import annotations

from models.captioning.marks import load_marks
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.plan.names import Vocabulary


def vocabulary_of(taxonomy: Taxonomy, knowledge: Knowledge) -> Vocabulary:
    """Return risk types, categories, kinds, cues and marks."""
    return Vocabulary.build(
        risk_types=taxonomy.names,
        categories=[*taxonomy.categories, *(kind.category for kind in knowledge.kinds)],
        kinds=[kind.id for kind in knowledge.kinds],
        cues=[cue.id for cue in knowledge.cues],
        marks=load_marks().codes,
    )
