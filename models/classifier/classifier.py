"""The classifier: a trained model that assesses listings. Load it from an artifact; `fitting` makes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from models.classifier.artifact import Manifest, pack_arrays, read_manifest, unpack_arrays, write_artifact
from models.classifier.composing import Boilerplate, ComposedText, Composer
from models.classifier.encoder import Encoding, OnnxEncoder
from models.classifier.explanation import ExplainedListing, attribute
from models.classifier.heads import Blocks, Calibration, LinearHeads
from models.classifier.kind_model import KindModel, name_strengths
from models.classifier.language import Detected, LanguageDetector
from models.classifier.scenarios import CueFact, KindRisks, ScenarioModel, median_level
from models.classifier.sparse import SparseFeatures
from models.domain.assessment import (
    Assessment,
    Attribution,
    CueFound,
    Decision,
    HazardScore,
    KindGuess,
    Language,
    Span,
    Versions,
    assessment_id,
)
from models.domain.errors import ArtifactError
from models.domain.listing import Listing
from models.domain.plan import Plan
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy, parse_taxonomy
from models.knowledge.base import Knowledge
from models.knowledge.matching import KnowledgeMatcher

Detail = Literal["none", "tokens", "full"]
Array = NDArray[np.float64]

_KINDS_SHOWN = 3
_HIGHLIGHTS = {"tokens": 12, "full": 10_000}
_GRAPH, _TOKENIZER, _ARRAYS, _PARTS = "encoder.onnx", "tokenizer.json", "arrays.npz", "parts.json"


@dataclass(frozen=True)
class Settings:
    """What a model was made with and needs again when it is used.

    Parameters
    ----------
    max_tokens : int
        Longest text the encoder reads.
    gloss : bool
        Whether text in other languages reaches the encoder in English words.
    least_known_share : float
        Below this share of known letters the model abstains: it has not read the listing.
    spread : float
        See `ScenarioModel`.
    """

    max_tokens: int = 128
    gloss: bool = True
    least_known_share: float = 0.25
    spread: float = 0.8


@dataclass(frozen=True)
class ReadListing:
    """A listing with its languages and the text that the encoder reads."""

    listing: Listing
    language: Detected
    text: ComposedText

    def facts(self) -> set[CueFact]:
        """Return the cues of all fields."""
        return {CueFact(hit.cue, hit.negated) for findings in self.text.findings.values() for hit in findings.cues}


@dataclass(frozen=True)
class Opinion:
    """What the model thinks of one listing, before it is worded as an assessment."""

    kinds: Array
    risks: KindRisks
    knowledge: Array
    given_unsafe: Array
    levels: Array


@dataclass
class HazardClassifier:
    """Hazards, scenario and level of listings.

    Examples
    --------
    >>> model = HazardClassifier.load("var/models/default")          # doctest: +SKIP
    >>> model.assess(Listing(id="1", title="Laser pointer 5000mW"), plan).risk_level    # doctest: +SKIP
    <RiskLevel.SERIOUS: 'serious'>
    """

    taxonomy: Taxonomy
    knowledge: Knowledge
    boilerplate: Boilerplate
    encoder: OnnxEncoder
    sparse: SparseFeatures
    kind_model: KindModel
    heads: LinearHeads
    calibration: Calibration
    thresholds: Array
    settings: Settings = field(default_factory=Settings)
    taxonomy_source: Mapping[str, Any] = field(default_factory=dict)
    manifest: Manifest | None = None

    def __post_init__(self) -> None:
        matcher = KnowledgeMatcher(self.knowledge)
        self.detector = LanguageDetector(matcher)
        self.composer = Composer(matcher, self.boilerplate, self.settings.gloss)
        self.scenario_model = ScenarioModel(self.knowledge, self.taxonomy, self.settings.spread)

    @property
    def version(self) -> str:
        """Version of the artifact; ``unsaved`` for a model in memory."""
        return self.manifest.version if self.manifest else "unsaved"

    def read(self, listing: Listing) -> ReadListing:
        """Detect the language of each field and compose the encoder's text."""
        return read_listing(listing, self.detector, self.composer)

    def opinions(self, read: Sequence[ReadListing], embeddings: NDArray[np.float32]) -> list[Opinion]:
        """Return what the model thinks of some listings; `embeddings` has shape (n, dimension)."""
        texts = [r.text for r in read]
        kinds = self.kind_model.posterior(embeddings, name_strengths(texts, self.knowledge))
        risks = [self.scenario_model.risks(r.facts()) for r in read]
        knowledge = np.array([log_odds(self.scenario_model.hazard_shares(k, r)[0]) for k, r in zip(kinds, risks, strict=True)])
        blocks = Blocks(embeddings, self.sparse.transform([t.text for t in texts]), knowledge.reshape(len(read), -1))
        given_unsafe = self.calibration.probabilities(self.heads.logits(blocks))
        return [
            Opinion(kinds[i], risks[i], knowledge[i], given_unsafe[i], self.scenario_model.level_probabilities(kinds[i], risks[i]))
            for i in range(len(read))
        ]

    def assess(self, listing: Listing, plan: Plan, explain: Detail = "none") -> Assessment:
        """Assess one listing.

        Parameters
        ----------
        explain : {"none", "tokens", "full"}
            ``tokens`` gives the twelve strongest words for each of the listing's main hazards, ``full`` every word
            for every risk type.
        """
        read = self.read(listing)
        encoding = self.encoder.encode(read.text.text)
        opinion = self.opinions([read], encoding.embedding[None, :])[0]
        return self._word(read, opinion, plan, encoding, explain)

    def assess_many(
        self, listings: Iterable[Listing], plan: Plan, explain: Detail = "none", chunk: int = 256
    ) -> Iterator[Assessment]:
        """Assess listings in order, a chunk at a time, several texts at once; equal to `assess` one by one."""
        stream = iter(listings)
        with ThreadPoolExecutor(self.encoder.threads) as pool:
            while batch := list(islice(stream, chunk)):
                read = [self.read(listing) for listing in batch]
                encodings = list(pool.map(self.encoder.encode, [r.text.text for r in read]))
                opinions = self.opinions(read, np.stack([e.embedding for e in encodings]))
                for r, opinion, encoding in zip(read, opinions, encodings, strict=True):
                    yield self._word(r, opinion, plan, encoding, explain)

    def predict(self, listings: Iterable[Listing], progress: Callable[[int], object] | None = None) -> Predictions:
        """Return the figures of many listings as arrays, for evaluation."""
        read = [self.read(listing) for listing in listings]
        embeddings = self.encoder.embed([r.text.text for r in read], progress)
        opinions = self.opinions(read, embeddings)
        levels = np.array([o.levels for o in opinions]).reshape(len(read), len(RiskLevel))
        given_unsafe = np.array([o.given_unsafe for o in opinions]).reshape(len(read), len(self.taxonomy.names))
        return Predictions(
            given_unsafe=given_unsafe, hazards=given_unsafe * (1 - levels[:, :1]), levels=levels,
            unsafe=np.array([o.kinds @ o.risks.unsafe for o in opinions]), languages=[r.language.code for r in read],
            kinds=[self.knowledge.kinds[int(o.kinds.argmax())].id for o in opinions],
        )

    def explain(self, listing: Listing, risk_types: Sequence[str] = ()) -> list[Attribution]:
        """Return the exact attribution of some risk types (all without names), every word."""
        read = self.read(listing)
        encoding = self.encoder.encode(read.text.text)
        opinion = self.opinions([read], encoding.embedding[None, :])[0]
        which = [self.taxonomy.names.index(name) for name in risk_types or self.taxonomy.names]
        return self._attributions(read, opinion, encoding, which, "full")

    def save(self, directory: Path | str, facts: Mapping[str, Any] | None = None, encoder_files: Path | None = None) -> Manifest:
        """Write the artifact; `encoder_files` is the directory that holds the encoder's graph and tokenizer."""
        source = encoder_files or self._directory
        if source is None:
            raise ArtifactError("the encoder's files are not known", hint="give encoder_files")
        parts = {
            "taxonomy": self.taxonomy_source,
            "boilerplate": self.boilerplate.patterns,
            "settings": self.settings.__dict__,
            "sparse": list(self.sparse.columns),
            "kind_temperature": self.kind_model.temperature,
            "kind_name_bonus": self.kind_model.name_bonus,
        }
        arrays: dict[str, NDArray[Any]] = {
            "sparse_idf": self.sparse.idf, "kind_weights": self.kind_model.weights, "kind_bias": self.kind_model.bias,
            "head_dense": self.heads.dense, "head_sparse": self.heads.sparse, "head_knowledge": self.heads.knowledge,
            "head_bias": self.heads.bias, "calibration_slope": self.calibration.slope,
            "calibration_offset": self.calibration.offset, "thresholds": self.thresholds,
        }
        self.manifest = write_artifact(
            Path(directory),
            {_GRAPH: source / _GRAPH, _TOKENIZER: source / _TOKENIZER, _ARRAYS: pack_arrays(arrays),
             _PARTS: orjson.dumps(parts), "knowledge.json": self.knowledge.to_json()},
            {"taxonomy": self.taxonomy.id, "labels": list(self.taxonomy.names), **(facts or {})},
        )
        return self.manifest

    @classmethod
    def load(cls, directory: Path | str, threads: int | None = None) -> Self:
        """Load an artifact; its checksums are verified first.

        Parameters
        ----------
        threads : int, optional
            Texts encoded at once; by default the cores that this process may use.

        Raises
        ------
        ArtifactError
            If the artifact is missing, half-written or altered.
        """
        root = Path(directory)
        manifest = read_manifest(root)
        parts = orjson.loads((root / _PARTS).read_bytes())
        arrays = unpack_arrays(root / _ARRAYS)
        settings = Settings(**parts["settings"])
        model = cls(
            taxonomy=parse_taxonomy(parts["taxonomy"], place=str(root / _PARTS)),
            knowledge=Knowledge.from_json((root / "knowledge.json").read_bytes()),
            boilerplate=Boilerplate(parts["boilerplate"]),
            encoder=OnnxEncoder(root / _GRAPH, root / _TOKENIZER, settings.max_tokens, threads or usable_cores()),
            sparse=SparseFeatures({feature: i for i, feature in enumerate(parts["sparse"])}, arrays["sparse_idf"]),
            kind_model=KindModel(arrays["kind_weights"], arrays["kind_bias"], parts["kind_temperature"], parts["kind_name_bonus"]),
            heads=LinearHeads(arrays["head_dense"], arrays["head_sparse"], arrays["head_knowledge"], arrays["head_bias"]),
            calibration=Calibration(arrays["calibration_slope"], arrays["calibration_offset"]),
            thresholds=arrays["thresholds"], settings=settings, taxonomy_source=parts["taxonomy"], manifest=manifest,
        )
        model._directory = root
        return model

    _directory: Path | None = None

    def _attributions(
        self, read: ReadListing, opinion: Opinion, encoding: Encoding, which: Sequence[int], explain: Detail
    ) -> list[Attribution]:
        explained = ExplainedListing(read.listing, read.text, encoding, [float(v) for v in opinion.knowledge])
        return attribute(explained, self.heads, self.sparse, self.taxonomy.names, which, _HIGHLIGHTS[explain])

    def _word(self, read: ReadListing, opinion: Opinion, plan: Plan, encoding: Encoding, explain: Detail) -> Assessment:
        listing, levels = read.listing, opinion.levels
        level = median_level(levels)
        concern = float(1 - levels[0])
        scores = sorted(
            (
                HazardScore(
                    risk_type=name, probability=float(opinion.given_unsafe[j]) * concern,
                    given_unsafe=float(opinion.given_unsafe[j]),
                    flagged=bool(opinion.given_unsafe[j] * concern >= self.thresholds[j]),
                )
                for j, name in enumerate(self.taxonomy.names)
            ),
            key=lambda score: (-score.probability, score.risk_type),
        )
        abstains = self._abstains(read)
        verdict = plan.decide(level, bool(abstains))
        versions = Versions(model=self.version, plan=plan.id, taxonomy=self.taxonomy.id)
        content = listing.content_hash()
        scenarios = self.scenario_model.scenarios(opinion.kinds, opinion.risks, level) if level != RiskLevel.NONE else []
        which: list[int] = []
        if explain == "full":
            which = list(range(len(self.taxonomy.names)))
        elif explain == "tokens":
            shown = [s for s in scores if s.flagged][:3] or scores[:1]
            which = [self.taxonomy.names.index(s.risk_type) for s in shown]
        return Assessment(
            id=assessment_id(content, listing.id, versions), listing_id=listing.id, content_hash=content, versions=versions,
            language=Language(code=read.language.code, confidence=read.language.confidence,
                              covered=read.text.known_share >= self.settings.least_known_share),
            risk_level=level, level_probabilities={lv: float(p) for lv, p in zip(RiskLevel, levels, strict=True)},
            risk_score=min(1.0, float(levels[3] + levels[4])), p_unsafe=min(1.0, float(opinion.kinds @ opinion.risks.unsafe)),
            hazards=scores, scenario=scenarios[0] if scenarios else None, kinds=self._kinds(opinion), cues=_cues(read),
            abstains=abstains, notes=["the text was longer than the encoder reads"] if encoding.truncated else [],
            decision=Decision(action=verdict.action, rules=[r.id for r in verdict.fired], reasons=[r.reason for r in verdict.fired]),
            explanation=self._attributions(read, opinion, encoding, which, explain) if which else [],
        )

    def _kinds(self, opinion: Opinion) -> list[KindGuess]:
        best = np.argsort(-opinion.kinds, kind="stable")[:_KINDS_SHOWN]
        return [
            KindGuess(kind=kind.id, name=kind.name, category=kind.category, probability=float(min(1.0, opinion.kinds[i])))
            for i, kind in ((int(i), self.knowledge.kinds[int(i)]) for i in best)
        ]

    def _abstains(self, read: ReadListing) -> list[str]:
        if not read.text.text.strip():
            return ["no-text: the listing has no words to judge"]
        if read.text.known_share < self.settings.least_known_share:
            return [f"language-not-covered: little of the text is known to the model (language {read.language.code})"]
        return []


@dataclass(frozen=True)
class Predictions:
    """Figures of n listings.

    Parameters
    ----------
    given_unsafe, hazards : array of shape (n, risk types)
        P(hazard | unsafe, listing), and that times P(level is not none).
    levels : array of shape (n, 5)
        P(none), P(low), P(medium), P(high), P(serious).
    unsafe : array of shape (n,)
    """

    given_unsafe: Array
    hazards: Array
    levels: Array
    unsafe: Array
    languages: list[str]
    kinds: list[str]

    @property
    def risk_score(self) -> Array:
        """P(high or serious), shape (n,)."""
        score: Array = self.levels[:, 3] + self.levels[:, 4]
        return score

    @property
    def level_ranks(self) -> NDArray[np.int64]:
        """Rank of the median level, shape (n,)."""
        return np.array([median_level(row).rank for row in self.levels], dtype=np.int64)


def read_listing(listing: Listing, detector: LanguageDetector, composer: Composer) -> ReadListing:
    """Detect the language of each field, of the listing as a whole, and compose the encoder's text."""
    detected = {name: detector.detect(text, listing.language) for name, text in listing.texts()}
    main = _main_language(listing, detected)
    texts = dict(listing.texts())
    codes = {name: _field_language(texts[name], found, main, detector) for name, found in detected.items()}
    return ReadListing(listing, main, composer.compose(listing, codes))


def _field_language(text: str, found: Detected, main: Detected, detector: LanguageDetector) -> str:
    """The language of one field: a field without letters, or in doubt, follows the listing where that reads more of it.

    Shops in Cyrillic languages spell their categories in Latin letters (``igrushki-dlya-devochek``).
    """
    if found.code == "und":
        return main.code
    if found.code != main.code and detector.reads_better(text, main.code, found.code):
        return main.code
    return found.code


def log_odds(probabilities: Array, floor: float = 1e-3) -> Array:
    """Return log(p / (1 - p)) with p kept within [floor, 1 - floor]."""
    p = np.clip(probabilities, floor, 1 - floor)
    result: Array = np.log(p) - np.log1p(-p)
    return result


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)


def _main_language(listing: Listing, detected: Mapping[str, Detected]) -> Detected:
    """The language that most of the listing's letters are in."""
    weights: dict[str, float] = {}
    sure: dict[str, float] = {}
    for name, text in listing.texts():
        found = detected[name]
        if found.code != "und":
            weights[found.code] = weights.get(found.code, 0.0) + len(text) * found.confidence
            sure[found.code] = max(sure.get(found.code, 0.0), found.confidence)
    if not weights:
        return Detected("und", 0.0)
    best = max(weights, key=lambda code: (weights[code], code))
    return Detected(best, sure[best])


def _cues(read: ReadListing) -> list[CueFound]:
    effects = read.text.findings
    fields = dict(read.listing.texts())
    return [
        CueFound(cue=hit.cue, effect=hit.effect, negated=hit.negated,
                 span=Span(field=name, start=hit.start, end=hit.end, text=fields[name][hit.start : hit.end]))
        for name, findings in effects.items()
        for hit in findings.cues
    ]
