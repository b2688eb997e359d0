"""What the API answers, as types; they are the OpenAPI schema and the client's guide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from models.domain.assessment import Assessment, Versions
from models.domain.listing import Listing
from models.reasons.statement import StatementOfReasons
from serving.api.picture_schemas import PictureState
from serving.api.problems import FieldError, Problem


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class AssessmentRequest(_Answer):
    """Listings to assess."""

    listings: list[Listing] = Field(description="at most 1,000; each is judged on its own")


class ListingResult(_Answer):
    """The answer for one listing of the request: an assessment, or the problem with it."""

    index: int = Field(description="place in the request, from 0")
    listing_id: str | None
    assessment: Assessment | None
    error: Problem | None
    pictures: list[PictureState] = Field(default_factory=list, description="those of a listing that came with some")


class AssessmentAnswer(_Answer):
    """One result a listing, in the order of the request."""

    results: list[ListingResult]
    versions: Versions


class StoredAnswer(_Answer):
    """An assessment as it was kept."""

    id: str
    created_at: datetime
    listing: Listing
    assessment: Assessment


class Summary(_Answer):
    """One row of the list of kept assessments."""

    id: str
    listing_id: str
    title: str
    risk_level: str
    risk_score: float
    hazard: str | None = Field(description="risk type of the worst scenario")
    action: str
    language: str
    created_at: datetime


class SummaryList(_Answer):
    """Kept assessments, first ones of the order asked for."""

    assessments: list[Summary]
    total: int = Field(description="number of kept assessments")


class RuleFacts(_Answer):
    """One rule of the plan."""

    id: str
    status: str
    when: str = Field(description="condition")
    action: str
    legal_basis: list[str]
    reason: str


class PlanFacts(_Answer):
    """The risk-management plan in force."""

    id: str
    name: str
    version: str
    digest: str
    rules: list[RuleFacts]
    thresholds: dict[str, float] = Field(description="numbers of the plan's thresholds with this model")


class FailedModelFacts(_Answer):
    """A model that should be in force and could not be put there."""

    version: str = Field(description="empty where it cannot be read")
    reason: str
    at: datetime


class Loading(_Answer):
    """How the model came to be in force in the worker that answers, and what did not."""

    since: datetime = Field(description="since when the model in force is there")
    previous: str | None = Field(description="version before it")
    swaps: int
    failures: int
    failed: FailedModelFacts | None = Field(description="null where the model in force is the one that should be")


class ModelReloaded(_Answer):
    """What looking for another model came to."""

    before: str
    in_force: str
    changed: bool
    loading: Loading


class ModelAnswer(_Answer):
    """What answers are made with."""

    model_config = ConfigDict(frozen=True, protected_namespaces=())

    version: str
    taxonomy: str
    labels: list[str] = Field(description="risk types, in the order of the taxonomy")
    levels: list[str]
    metrics: dict[str, Any] = Field(description="measured on held-out data when the model was trained")
    data: list[dict[str, Any]] = Field(description="fingerprint of each file of the training data")
    facts: dict[str, Any] = Field(description="whatever else the artifact's manifest says")
    plan: PlanFacts
    loading: Loading
    limits: dict[str, int] = Field(description="longest accepted values, in code points or items")
    request_limits: dict[str, int]


class ActionPair(_Answer):
    """How often the live action was one thing and that of the trial another."""

    live: str
    trial: str
    n: int


class LevelPart(_Answer):
    """Listings of one live level, and on how many the actions differ."""

    live_level: str
    n: int
    differ: int


class MeanScore(_Answer):
    """Means of the risk score; null before the first trial."""

    live: float | None
    trial: float | None
    distance: float | None = Field(description="mean distance between the two")


class Comparison(_Answer):
    """Counts over everything that was tried."""

    n: int
    agreement: float | None = Field(description="share of listings with the same action; null before the first trial")
    stricter: int
    looser: int
    actions: list[ActionPair]
    levels: list[LevelPart]
    mean_score: MeanScore


class Tried(_Answer):
    """A model with a plan that was tried."""

    model: str
    plan: str
    n: int


class ShadowAnswer(_Answer):
    """State of the trial, and its comparison with what is live."""

    state: str = Field(description="off, loading, running or failed")
    plan: str | None = Field(description="plan on trial; null where the live one decides")
    model: str | None = Field(description="model on trial; null where the live one's findings are used")
    rate: float = Field(description="share of the listings that it sees")
    taken: int = Field(description="handed over since this process began")
    not_sampled: int
    passed_over: int = Field(description="not tried because the trial was too slow")
    waiting: int
    done: int
    failed: int
    last_failure: str | None
    comparison: Comparison
    tried: list[Tried] = Field(description="everything that is kept, of earlier trials too")


class ShadowDifference(_Answer):
    """A listing on which trial and live decision differ."""

    assessment_id: str
    listing_id: str
    title: str
    live_action: str
    action: str
    live_level: str
    level: str
    live_score: float
    score: float
    model: str
    plan: str
    created_at: datetime


class DifferenceList(_Answer):
    """Listings that differ, newest first."""

    differences: list[ShadowDifference]


class StatementCheck(_Answer):
    """What the DSA Transparency Database would say to one statement."""

    index: int = Field(description="place in the request, from 0")
    valid: bool
    errors: list[FieldError]
    dropped: list[str] = Field(description="fields that the database does not keep")


class CheckAnswer(_Answer):
    """One result a statement, in the order of the request."""

    results: list[StatementCheck]


class Submission(_Answer):
    """A body for the database's route of several statements: at most 100."""

    statements: list[StatementOfReasons]


class NoStatement(_Answer):
    """An assessment without a statement, and why."""

    id: str
    why: str


class SubmissionAnswer(_Answer):
    """Statements in submissions of at most 100."""

    submissions: list[Submission]
    without: list[NoStatement]


class Health(_Answer):
    """The process is alive, or ready."""

    status: str


class Ready(Health):
    """A request for an assessment would be served."""

    model: str = Field(description="version in force")
    note: str | None = Field(description="that another model should be in force and is not")
