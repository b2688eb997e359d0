"""Exact attribution: the model's quantities as sums over the listing's own words.

With mean pooling, e = (1/n) sum h_t, and the encoder's share of a logit is w . e / |e| = sum_t w . h_t / (n |e|): each
token's contribution comes from the forward pass that scored the listing, and one matrix product gives those of all
hazards. Sparse features add the weight of each n-gram, shared equally by its words. The knowledge feature is a function
of the product kind, whose logit is again linear in the tokens, of the names in the text, and of its cues; see
`kind_evidence`. What falls on special tokens, glue between fields and the knowledge base itself stands in `rest`, so
that bias + parts = logit holds exactly.

The sum is exact for this text; it is no claim about the text without a word: a transformer reads words in context.
`what_if` asks the model that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from models.classifier.encoder import Encoding
from models.classifier.heads import LinearHeads
from models.classifier.kind_evidence import NamedKind, knowledge_weights, named_kinds, set_weights
from models.classifier.kind_model import KindModel
from models.classifier.placing import Place, Places, find_places
from models.classifier.reading import ReadListing
from models.classifier.scenarios import CueFact, ScenarioModel
from models.classifier.sparse import SparseFeatures
from models.classifier.wording import Opinion
from models.domain.assessment import Attribution
from models.domain.risk import RiskLevel

Array = NDArray[np.float64]

_ATTRIBUTIONS = TypeAdapter(list[Attribution])


@dataclass(frozen=True)
class ExplainedListing:
    """What one forward pass leaves behind for the explanation."""

    read: ReadListing
    encoding: Encoding
    opinion: Opinion


@dataclass(frozen=True)
class Shares:
    """Some quantities as sums over places of the listing.

    Parameters
    ----------
    spans : sequence of Place
    weights : array of shape (places, quantities)
    totals, bias, rest : array of shape (quantities,)
        total = bias + sum of weights + rest.
    parts : dict
        Sum by feature block, each of shape (quantities,).
    """

    spans: Sequence[Place]
    weights: Array
    totals: Array
    bias: Array
    rest: Array
    parts: dict[str, Array]


class Explainer:
    """Splits what a model thinks of a listing into shares of its words.

    Parameters
    ----------
    heads, sparse, kind_model, scenario_model
        The model's parts.
    """

    def __init__(
        self, heads: LinearHeads, sparse: SparseFeatures, kind_model: KindModel, scenario_model: ScenarioModel
    ) -> None:
        self.heads = heads
        self.sparse = sparse
        self.kind_model = kind_model
        self.scenario_model = scenario_model
        self.names = scenario_model.taxonomy.names

    def attributions(
        self, explained: ExplainedListing, which: Sequence[int], limit: int | None = None
    ) -> list[Attribution]:
        """Return the attribution of some heads.

        Parameters
        ----------
        which : sequence of int
            Heads to explain.
        limit : int, optional
            Highlights per head, largest contribution first; the others are summed into `rest`.
        """
        shares = self.hazard_shares(explained, which)
        listing = explained.read.listing
        fields, pictures = dict(listing.texts()), listing.pictures()
        result = []
        for i, h in enumerate(which):
            highlights = _largest(fields, pictures, shares.spans, shares.weights[:, i], limit)
            parts = {name: float(values[i]) for name, values in shares.parts.items()}
            result.append(
                {
                    "risk_type": self.names[h],
                    "logit": float(shares.totals[i]),
                    "bias": float(shares.bias[i]),
                    "parts": parts,
                    "highlights": highlights,
                    "rest": sum(parts.values()) - sum(highlight["weight"] for highlight in highlights),
                }
            )
        # All records at once: each of them alone costs as much as a word's share.
        return _ATTRIBUTIONS.validate_python(result)

    def hazard_shares(self, explained: ExplainedListing, which: Sequence[int]) -> Shares:
        """Return the shares of some heads' logits, all from one matrix product."""
        heads, index = self.heads, np.array(which, dtype=np.int64)
        read, encoding, opinion = explained.read, explained.encoding, explained.opinion
        places = find_places(read.listing, read.text, self.sparse.words(read.text.text), encoding.offsets)
        knowledge = heads.knowledge[index].astype(np.float64)
        kinds = knowledge[:, None] * knowledge_weights(opinion.kinds, opinion.risks, index)
        through_kinds = self._directions(kinds)
        weights = self._token_shares(places, encoding, heads.dense[index] + through_kinds)
        incidence = self.sparse.incidence(read.text.text)
        sparse = incidence.values[:, None] * heads.sparse_by_feature[incidence.columns[:, None], index]
        weights += _summed(places.of_word[incidence.words], sparse, len(weights))
        facts = self._name_shares(weights, places, named_kinds(read.text, self.scenario_model.knowledge), kinds)
        facts += self._cue_shares(weights, places, explained, index, knowledge)
        embedding = encoding.embedding
        parts = {
            "dense": (heads.dense[index] @ embedding).astype(np.float64),
            "sparse": sparse.sum(axis=0),
            "knowledge": opinion.knowledge[index] * knowledge,
        }
        # Of the knowledge feature, the words have these shares; the knowledge base's own part belongs to none of them.
        own = parts["knowledge"] - through_kinds @ embedding - facts
        bias = heads.bias[index].astype(np.float64)
        total: Array = bias + parts["dense"] + parts["sparse"] + parts["knowledge"]
        return Shares(places.spans, weights[:-1], total, bias, weights[-1] + own, parts)

    def level_shares(self, explained: ExplainedListing, members: NDArray[np.bool_]) -> Shares:
        """Return the shares of the log odds that the product is one of the kinds that `members` marks.

        Among the known kinds: what an unfamiliar listing gives up to the background is no word's doing.
        """
        read, encoding = explained.read, explained.encoding
        kinds, log_odds, constant = set_weights(explained.opinion.known, members)
        places = find_places(read.listing, read.text, self.sparse.words(read.text.text), encoding.offsets)
        directions = self._directions(kinds[None])
        weights = self._token_shares(places, encoding, directions)
        named = named_kinds(read.text, self.scenario_model.knowledge)
        names = self._name_shares(weights, places, named, kinds[None])
        bias = np.array([kinds @ self.kind_model.bias / self.kind_model.temperature + constant])
        parts = {"kinds": (directions @ encoding.embedding).astype(np.float64), "names": names}
        total = np.array([log_odds])
        return Shares(places.spans, weights[:-1], total, bias, total - bias - weights[:-1].sum(axis=0), parts)

    def members(self, explained: ExplainedListing, level: RiskLevel) -> NDArray[np.bool_]:
        """Return which kinds reach a level under the listing's cues; for `NONE`, which have no risk at all."""
        reaches = explained.opinion.risks.reaches
        marked: NDArray[np.bool_] = (
            reaches[:, 0] < 0.5 if level == RiskLevel.NONE else reaches[:, level.rank - 1] >= 0.5 - 1e-9
        )
        return marked

    def _directions(self, kinds: Array) -> NDArray[np.float32]:
        """Return the direction of the embedding that weighted logits of kinds make, shape (quantities, dimension)."""
        # Row by row: for a few rows the product of matrices takes twice as long.
        weights = self.kind_model.weights
        return np.stack([row @ weights for row in (kinds / self.kind_model.temperature).astype(np.float32)])

    @staticmethod
    def _token_shares(places: Places, encoding: Encoding, directions: NDArray[np.float32]) -> Array:
        scale = len(encoding.tokens) * encoding.norm
        shares = (encoding.tokens @ directions.T).astype(np.float64) / scale
        return _summed(places.of_token, shares, len(places) + 1)

    def _name_shares(self, weights: Array, places: Places, named: Sequence[NamedKind], kinds: Array) -> Array:
        """Add what the names bring to their places; return the sums."""
        total = np.zeros(kinds.shape[0])
        for name in named:
            value = kinds[:, name.kind] * self.kind_model.name_bonus * name.strength
            _spread(weights, places, name.places, value)
            total += value
        return total

    def _cue_shares(
        self, weights: Array, places: Places, explained: ExplainedListing, index: NDArray[np.int64], knowledge: Array
    ) -> Array:
        """Add what each cue brings, by leaving it out of the knowledge feature; return the sums."""
        facts, opinion, model = explained.read.facts(), explained.opinion, self.scenario_model
        total = np.zeros(len(index))
        for fact in sorted(facts, key=lambda fact: (fact.cue, fact.negated)):
            without = model.hazard_log_odds(opinion.kinds[None], [model.risks(facts - {fact})])[0]
            value = knowledge * (opinion.knowledge - without)[index]
            _spread(weights, places, cue_places(explained.read, fact), value)
            total += value
        return total


def cue_places(read: ReadListing, fact: CueFact) -> list[Place]:
    """Return where a listing shows a cue."""
    return [
        (name, hit.start, hit.end)
        for name, findings in read.text.findings.items()
        for hit in findings.cues
        if hit.cue == fact.cue and hit.negated == fact.negated
    ]


def _summed(rows: NDArray[np.int64], values: Array, n: int) -> Array:
    """Sum values of shape (uses, quantities) by row, to shape (n, quantities)."""
    sums = np.zeros((values.shape[1], n))
    for row, column in zip(sums, values.T, strict=True):
        row[:] = np.bincount(rows, weights=column, minlength=n)
    return sums.T


def _spread(weights: Array, places: Places, where: Sequence[Place], value: Array) -> None:
    touched = [i for place in where for i in places.touching(place)]
    for i in touched:
        weights[i] += value / len(touched)


def _largest(
    fields: Mapping[str, str], pictures: Mapping[str, str], spans: Sequence[Place], weights: Array, limit: int | None
) -> list[dict[str, Any]]:
    order = np.argsort(-np.abs(weights), kind="stable")[:limit].tolist()
    return [
        {
            "field": name,
            "start": start,
            "end": end,
            "text": fields[name][start:end],
            "picture": pictures.get(name, ""),
            "weight": weight,
        }
        for (name, start, end), weight in ((spans[i], float(weights[i])) for i in order)
    ]
