"""The classifier: a trained model that assesses listings. Load it from an artifact; `fitting` makes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.classifier.artifact import Manifest, write_artifact
from models.classifier.composing import Boilerplate
from models.classifier.cores import usable_cores
from models.classifier.crowd import Crowd
from models.classifier.encoder import EncodeSome, Encoding, OnnxEncoder
from models.classifier.evidence import EvidenceIndex
from models.classifier.explanation import ExplainedListing, Explainer
from models.classifier.first_tier import FirstTier, screener_for
from models.classifier.golden import Golden
from models.classifier.heads import BetaCalibration, Calibration, LinearHeads
from models.classifier.kind_model import KindModel, name_strengths
from models.classifier.placing import Place
from models.classifier.predictions import Predictions
from models.classifier.reading import ListingReader, ReadListing
from models.classifier.scenarios import KindRisks, ScenarioModel
from models.classifier.settings import Settings
from models.classifier.sparse import SparseFeatures
from models.classifier.stopwatch import Stopwatch
from models.classifier.stored_parts import encoder_files_in, files_of, parts_in
from models.classifier.wording import Opinion, concern, flagged, hazard_scores, word_assessment
from models.domain.assessment import Assessment, Attribution, HazardScore, Tier, Tiers, Versions
from models.domain.errors import ArtifactError
from models.domain.guarantee import Guarantee
from models.domain.listing import Listing
from models.domain.risk import RiskLevel
from models.domain.taxonomy import Taxonomy
from models.knowledge.base import Knowledge
from models.matching.looking import NOT_LOOKED, Looked, Recalls
from models.plan.plan import Plan
from models.screening.screen import Screen

Detail = Literal["none", "tokens", "full"]
Array = NDArray[np.float64]

_HAZARDS_EXPLAINED = 3
_HIGHLIGHTS = {"tokens": 12, "full": None}


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
    guarantees: tuple[Guarantee, ...] = ()
    market_evidence: Array | None = None
    unsafe_calibration: BetaCalibration = field(default_factory=BetaCalibration)
    manifest: Manifest | None = None
    evidence: EvidenceIndex = field(default_factory=EvidenceIndex)
    golden: Golden = field(default_factory=Golden)
    screen: Screen | None = None

    def __post_init__(self) -> None:
        self._crowd = Crowd()
        self.reader = ListingReader(self.knowledge, self.boilerplate, self.settings.gloss)
        self.scenario_model = ScenarioModel(self.knowledge, self.taxonomy, self.settings.spread, self.market_evidence)
        self.explainer = Explainer(self.heads, self.sparse, self.kind_model, self.scenario_model)
        self.screener = screener_for(self, self.screen.encoder, self.screen.score) if self.screen is not None else None

    @property
    def version(self) -> str:
        """Version of the artifact; ``unsaved`` for a model in memory."""
        return self.manifest.version if self.manifest else "unsaved"

    def read(self, listing: Listing) -> ReadListing:
        """Detect the language of each field and compose the encoder's text."""
        return self.reader.read(listing)

    @property
    def screens(self) -> bool:
        """Whether there is a screen that may answer; see `FirstTier`."""
        return self.screen is not None and self.screen.guarantee.threshold is not None

    def first_tier(self, tiers: Tiers, explain: Detail) -> FirstTier | None:
        """Return what answers before the whole model is asked; None where nothing may: a screen explains nothing."""
        return FirstTier(self) if tiers == "two" and explain == "none" and self.screens else None

    def opinions(self, read: Sequence[ReadListing], embeddings: NDArray[np.float32]) -> list[Opinion]:
        """Return what the model thinks of some listings; `embeddings` has shape (n, dimension)."""
        risks = [self.scenario_model.risks(r.facts()) for r in read]
        return self.opinions_given(read, embeddings, name_strengths([r.text for r in read], self.knowledge), risks)

    def opinions_given(
        self, read: Sequence[ReadListing], embeddings: NDArray[np.float32], names: Array, risks: Sequence[KindRisks]
    ) -> list[Opinion]:
        """Return `opinions` where strengths of names, shape (n, kinds), and risks of the kinds are known."""
        texts = [r.text for r in read]
        judged = self.kind_model.judge(embeddings, names)
        kinds = judged.posterior
        knowledge = self.scenario_model.hazard_log_odds(kinds, risks)
        rows = [self.sparse.row(text.text) for text in texts]
        logits = [self.heads.logits_of_one(*features) for features in zip(embeddings, rows, knowledge, strict=True)]
        given_unsafe = [self.calibration.probabilities(row) for row in logits]
        unsafe = self.unsafe_calibration.probabilities(self.scenario_model.unsafe_log_odds(kinds, risks))
        return [
            Opinion(
                kinds[i],
                risks[i],
                knowledge[i],
                given_unsafe[i],
                self.scenario_model.level_probabilities(kinds[i], risks[i]),
                float(unsafe[i, 0]),
                judged.known[i],
                float(judged.familiarity[i]),
            )
            for i in range(len(read))
        ]

    def assess(
        self,
        listing: Listing,
        plan: Plan,
        explain: Detail = "none",
        watch: Stopwatch | None = None,
        recalls: Recalls | None = None,
    ) -> Assessment:
        """Assess one listing.

        Parameters
        ----------
        explain : {"none", "tokens", "full"}
            ``tokens`` gives the twelve strongest words for each of the listing's main hazards, ``full`` every word
            for every risk type.
        watch : Stopwatch, optional
            Gets the phases ``language``, ``encode``, ``judge``, ``match``, ``explain`` and ``decide``, and the tokens
            read.
        recalls : Recalls, optional
            Looks for matches among the known alerts.
        """
        watch = watch or Stopwatch()
        with self._crowd.joined():
            read = self.read(listing)
            watch.lap("language")
            encoding = self.encoder.encode(read.text.text, alone=self._crowd.alone)
            watch.tokens = len(encoding.offsets)
            watch.lap("encode")
            opinion = self.opinions([read], encoding.embedding[None, :])[0]
            hazards = self.hazards(opinion)
            watch.lap("judge")
            looked = NOT_LOOKED
            if recalls is not None:
                looked = recalls.look(read, encoding.embedding, opinion.kinds, flagged(hazards))
                watch.lap("match")
            assessment = self.word(read, opinion, plan, encoding, explain, watch, looked, hazards=hazards)
            watch.lap("decide")
            return assessment

    def assess_many(
        self,
        listings: Iterable[Listing],
        plan: Plan,
        explain: Detail = "none",
        chunk: int = 256,
        looked: Looked = NOT_LOOKED,
        tiers: Tiers = "full",
    ) -> Iterator[Assessment]:
        """Assess listings in order, a chunk at a time, several texts at once; equal to `assess` one by one.

        Parameters
        ----------
        looked : Looked
            What was found among the known alerts, for all of them.
        tiers : {"full", "two"}
            ``two`` lets the screen answer where it may; with explanations, and without a threshold, it never does.
        """
        stream, first = iter(listings), self.first_tier(tiers, explain)
        with self.encoder.encoding() as encode:
            while batch := list(islice(stream, chunk)):
                screened = first.answers(batch, plan, looked) if first is not None else {}
                rest = [listing for i, listing in enumerate(batch) if i not in screened]
                whole = self._assess_some(rest, plan, explain, looked, encode)
                yield from (screened[i] if i in screened else next(whole) for i in range(len(batch)))

    def _assess_some(
        self, listings: Sequence[Listing], plan: Plan, explain: Detail, looked: Looked, encode: EncodeSome
    ) -> Iterator[Assessment]:
        if not listings:
            return
        read = [self.read(listing) for listing in listings]
        encodings = encode([r.text.text for r in read])
        opinions = self.opinions(read, np.stack([e.embedding for e in encodings]))
        for r, opinion, encoding in zip(read, opinions, encodings, strict=True):
            yield self.word(r, opinion, plan, encoding, explain, looked=looked)

    def predict(self, listings: Iterable[Listing], progress: Callable[[int], object] | None = None) -> Predictions:
        """Return the figures of many listings as arrays, for evaluation."""
        read = [self.read(listing) for listing in listings]
        embeddings = self.encoder.embed([r.text.text for r in read], progress)
        opinions = self.opinions(read, embeddings)
        levels = np.array([o.levels for o in opinions]).reshape(len(read), len(RiskLevel))
        given_unsafe = np.array([o.given_unsafe for o in opinions]).reshape(len(read), len(self.taxonomy.names))
        return Predictions(
            given_unsafe=given_unsafe,
            hazards=given_unsafe * concern(levels, self.scenario_model.knows_hazards)[:, None],
            levels=levels,
            unsafe=np.array([o.unsafe for o in opinions]),
            familiarity=np.array([o.familiarity for o in opinions]),
            languages=[r.language.code for r in read],
            kinds=[self.knowledge.kinds[int(o.kinds.argmax())].id for o in opinions],
        )

    def explained(self, listing: Listing) -> ExplainedListing:
        """Read and encode a listing, and keep what its explanation needs."""
        with self._crowd.joined():
            read = self.read(listing)
            encoding = self.encoder.encode(read.text.text, alone=self._crowd.alone)
            return ExplainedListing(read, encoding, self.opinions([read], encoding.embedding[None, :])[0])

    def reread(self, explained: ExplainedListing, gone: Iterable[Place]) -> ExplainedListing:
        """Encode a listing again without some of its places; what was found in the rest of its text still holds."""
        read = replace(explained.read, text=explained.read.text.without(gone))
        with self._crowd.joined():
            encoding = self.encoder.encode(read.text.text, alone=self._crowd.alone)
        return ExplainedListing(read, encoding, self.opinions([read], encoding.embedding[None, :])[0])

    def answer(self, explained: ExplainedListing, plan: Plan, looked: Looked = NOT_LOOKED) -> Assessment:
        """Return the assessment of a listing that has been read and encoded: equal to `assess`."""
        return self.word(explained.read, explained.opinion, plan, explained.encoding, "none", looked=looked)

    def explain(self, listing: Listing, risk_types: Sequence[str] = ()) -> list[Attribution]:
        """Return the exact attribution of some risk types (all without names), every word."""
        which = [self.taxonomy.names.index(name) for name in risk_types or self.taxonomy.names]
        return self.explainer.attributions(self.explained(listing), which)

    def save(
        self, directory: Path | str, facts: Mapping[str, Any] | None = None, encoder_files: Path | None = None
    ) -> Manifest:
        """Write the artifact; `encoder_files` is the directory that holds the encoder's graph and tokenizer."""
        source = encoder_files or self._directory
        if source is None:
            raise ArtifactError("the encoder's files are not known", hint="give encoder_files")
        self.manifest = write_artifact(
            Path(directory),
            {**encoder_files_in(source), **files_of(self)},
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
        model = cls(**parts_in(root, threads or usable_cores()))
        model._directory = root
        return model

    _directory: Path | None = None

    def _attributions(
        self, read: ReadListing, opinion: Opinion, encoding: Encoding, which: Sequence[int], explain: Detail
    ) -> list[Attribution]:
        return self.explainer.attributions(ExplainedListing(read, encoding, opinion), which, _HIGHLIGHTS[explain])

    def _abstains(self, read: ReadListing, opinion: Opinion) -> list[str]:
        settings, text = self.settings, read.text
        if text.known_share < settings.least_known_share:
            return [f"language-not-covered: little of the text is known to the model (language {read.language.code})"]
        if not text.text.strip():
            return ["no-text: the listing has no words to judge"]
        if opinion.familiarity < settings.least_familiarity:
            return [f"out-of-scope: like nothing that the model has learnt (familiarity {opinion.familiarity:.2f})"]
        return []

    def word(
        self,
        read: ReadListing,
        opinion: Opinion,
        plan: Plan,
        encoding: Encoding,
        explain: Detail,
        watch: Stopwatch | None = None,
        looked: Looked = NOT_LOOKED,
        tier: Tier = "full",
        hazards: list[HazardScore] | None = None,
    ) -> Assessment:
        """Put what the model thinks of a listing into the words of an answer, with the plan's decision."""
        hazards = hazards or self.hazards(opinion)
        which: list[int] = []
        if explain == "full":
            which = list(range(len(self.taxonomy.names)))
        elif explain == "tokens":
            shown = [hazard for hazard in hazards if hazard.flagged][:_HAZARDS_EXPLAINED] or hazards[:1]
            which = [self.taxonomy.names.index(hazard.risk_type) for hazard in shown]
        explanation = self._attributions(read, opinion, encoding, which, explain) if which else []
        if watch is not None and which:
            watch.lap("explain")
        return word_assessment(
            read,
            opinion,
            hazards,
            self.scenario_model,
            plan,
            Versions(model=self.version, plan=plan.id, taxonomy=self.taxonomy.id),
            abstains=self._abstains(read, opinion),
            least_known_share=self.settings.least_known_share,
            prior_unsafe=self.settings.prior_unsafe,
            truncated=encoding.truncated,
            explanation=explanation,
            looked=looked,
            tier=tier,
        )

    def concerns(self, opinion: Opinion) -> list[str]:
        """Return the risk types whose probability reaches its threshold, most probable first."""
        return flagged(self.hazards(opinion))

    def hazards(self, opinion: Opinion) -> list[HazardScore]:
        """Return every risk type with its probability, most probable first."""
        return hazard_scores(opinion, self.taxonomy.names, self.thresholds, self.scenario_model.knows_hazards)
