"""What an operator can set, read from environment variables in one place."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, get_args

from models.classifier.cores import usable_cores
from models.domain.assessment import Tiers
from models.domain.errors import InputError
from serving import setting_values as values
from serving.outgoing.addresses import Network

PREFIX = "HAZARDLENS_"
LOG_FORMATS = ("text", "json")
ACCESS = ("keys", "off")
RECALL_CALENDARS = ("authority", "marketplace")
LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class Settings:
    """Settings of one server; each field is the environment variable ``HAZARDLENS_`` + its name in capitals.

    Parameters
    ----------
    model : Path
        Directory of the model artifact, or a link to one.
    model_watch : float
        Seconds between two looks whether `model` holds another model, which is then taken; 0 never looks.
    workers : int
        Processes that serve the port together.
    database_url : str
        ``sqlite:///relative/path.db`` or ``postgresql://user@host/name``.
    host, port
        Address to listen on.
    plan : Path or None
        Risk-management plan; None takes the one that ships with hazardlens.
    threads : int or None
        Listings assessed at once; None takes the cores that the process may use.
    max_listings : int
        Most listings in one request.
    max_full : int
        Most listings in one request with ``explain=full``: a full explanation is some hundred times the answer.
    max_body_mb : int
        Longest request body, in units of 1,000,000 bytes.
    max_in_flight : int
        Listings accepted and not yet answered, over all requests; above it the answer is 429.
    max_queue_ms : int
        Longest wait in the queue, in milliseconds, with which a request is accepted; above it the answer is 429.
    cores : tuple of int
        Cores that the threads are pinned to, such as ``0-3,8``; none leaves them to the system.
    remember_mb : int
        Answers that are remembered, in units of 1,000,000 bytes; 0 remembers none.
    drain_seconds : int
        How long the port still listens, answering 503, once the server is told to end; longer while requests are in
        work.
    log_level : str
        One of `LOG_LEVELS`.
    evidence : Path or None
        Table of known items, as `hazardlens ingest` writes it, that explanations point to besides the model's own.
    otlp_endpoint : str or None
        Collector that traces are sent to by OTLP over HTTP; None leaves it to the standard variables of OpenTelemetry.
    demo : bool
        Fill an empty store with the example listings and example reviews at start.
    plan_four_eyes : bool
        A plan goes live only by another person than its author.
    shadow_plan, shadow_model : Path or None
        Plan and model on trial: they see live traffic without effect.
    shadow_rate : float
        Share of the listings that they see, 0 to 1.
    review_lease_minutes : int
        How long a reviewer has an item without renewing it.
    review_grace_seconds : int
        How long a decision can be taken back, and has no effect outside.
    review_learn_daily : int
        Most listings a day that reviewers are asked about only because the model would learn from them.
    recall_poll : bool
        Ask the sources of alerts in the background.
    recall_sources : Path or None
        File of these sources; None takes the one that ships.
    recall_clocks : Path or None
        File of the periods of what is received, by its kind; None takes the one that ships.
    recall_calendar : str
        One of `RECALL_CALENDARS`: by whose working days the periods of authorities' orders and notices are counted.
    recall_regions : tuple of (str, str)
        Pairs of country and region whose public holidays count too, such as ``DE=BE,ES=MD``.
    recall_warn_hours : int
        How long before its end a clock is warned of.
    recall_remind_hours : int
        How long a takedown order waits for its receipt before it is sent again.
    review_golden_share : float
        Share of the items handed to reviewers whose answer is known, 0 to 1; none where no answer was added.
    review_golden_uses : int
        Reviewers that a known answer is shown to before it is retired.
    marketplace : Path or None
        Facts of the marketplace, for texts to sellers and statements of reasons; None takes the example that ships.
    buyers_keep_days : int
        Days that an order line with its buyer's contact data is kept after it was handed over.
    commitments : Path or None
        Register of the pledge's areas with their status here; None takes the one that ships.
    jobs : Path
        Directory of uploads and results of jobs; one for all workers.
    job_max_mb : int
        Longest upload of a job, in units of 1,000,000 bytes; also when it is unpacked.
    job_max_listings : int
        Most listings of a job.
    job_keep_hours : int
        Hours that the result of a job is kept after its end.
    job_max_open : int
        Jobs of one caller that have not ended.
    job_tiers : {"full", "two"}
        Of jobs that do not say: ``two`` lets the model's screen answer where it may.
    idempotency_hours : int
        Hours that an answer is kept under its `Idempotency-Key`.
    access : str
        `keys`: nothing but health is answered without a key. `off`: whoever reaches the server may do everything.
    session_hours : int
        How long a browser stays signed in.
    public_url : str or None
        Address under which browsers reach the server, where a proxy stands before it.
    oidc_issuer, oidc_client_id, oidc_client_secret : str or None
        OpenID provider that people can sign in by, and what this server is to it; without a secret a public client.
    oidc_name : str
        What the sign-in page calls it.
    oidc_scopes : str
        What is asked of it.
    oidc_roles_claim : str
        Where its tokens name roles; dots lead into objects.
    oidc_roles : str
        Which of these is which role here, such as ``safety-team=reviewer,ml=scientist``.
    oidc_name_claim : str
        Where its tokens name the person.
    keep_assessments_days : int
        How long assessments are kept that no review is of; 0 keeps them.
    keep_reviews_days : int
        How long after its decision an item keeps what tells seller and listing; 0 keeps it.
    keep_names_days : int
        How long the log of reviews keeps names of keys and free text; 0 keeps them.
    metrics_open : bool
        Answer /metrics without a key.
    requests_per_minute, listings_per_minute : int
        Allowance of a key that has none of its own, in each process; 0 is no limit.
    log_format : str
        One of `LOG_FORMATS`; `json` writes one object a line.
    log_listings : bool
        Let the log hold what sellers write.
    tls_certificate, tls_key : Path or None
        PEM files, to serve HTTPS without a proxy.
    hsts_seconds : int
        How long a browser is to insist on HTTPS (Strict-Transport-Security), sent over HTTPS only; 0 sends none.
    trusted_proxies : str or None
        Addresses or networks, separated by commas, whose X-Forwarded-For and -Proto are believed.
    pictures : Path
        Directory of pictures: as they came until they are read, then clean copies; one for all workers.
    picture_keep_hours : int
        Hours that the clean copy of a picture is kept; 0 keeps none.
    picture_max : int
        Most pictures of a listing.
    picture_max_mb : int
        Longest picture, in units of 1,000,000 bytes.
    picture_max_megapixels : int
        Largest picture, in units of 1,000,000 pixels.
    picture_hosts : tuple of str
        Hosts that pictures are fetched from, ``*.cdn.example`` for all below a domain; none fetches none.
    picture_fetch_seconds : float
        How long fetching a picture may take.
    picture_blur : bool
        Blur pictures in the console until a reviewer asks for them.
    outgoing_networks : tuple of networks
        Networks that are not public and that the server may still send requests to, also without TLS.
    hook_timeout_seconds : float
        Seconds that one try of a webhook may take.
    hook_backoff_seconds : float
        Seconds of the first wait before a webhook is tried again; each next one is twice as long, up to six hours.
    hook_tries : int
        Tries after which a webhook is a dead letter.
    hook_keep_days : int
        Days that the log of webhooks is kept.

    captioners : tuple of str
        Who reads pictures, in order: `ocr`, `mark`, `caption`, `remote`, or `none`; empty takes those that have what
        they need.
    captioner_seconds : float
        How long each captioner may take for a picture.
    caption_cache_mb : int
        Captions that are kept by the hash of their picture, in units of 1,000,000 bytes.
    tesseract : str or None
        Language packs of Tesseract for scripts that the built-in reader does not know: ``rus+ara``, or ``all``.
    caption_model : Path or None
        Image-to-text model, as `hazardlens captioner` writes it.
    caption_url, caption_token : str or None
        Captioning service, and the bearer token for it.
    caption_a_day : int
        Most requests to that service in 24 hours; 0 is no limit.

    Raises
    ------
    InputError
        If two values contradict each other; `from_environment` also for each value that is not readable.
    """

    model: Path = Path("var/models/default")
    model_watch: float = 2.0
    workers: int = 1
    database_url: str = "sqlite:///var/hazardlens.db"
    host: str = "127.0.0.1"
    port: int = 8000
    plan: Path | None = None
    threads: int | None = None
    max_listings: int = 1_000
    max_full: int = 100
    max_body_mb: int = 20
    max_in_flight: int = 4_000
    log_level: str = "info"
    demo: bool = False
    plan_four_eyes: bool = True
    marketplace: Path | None = None
    commitments: Path | None = None
    buyers_keep_days: int = 90
    shadow_plan: Path | None = None
    shadow_model: Path | None = None
    shadow_rate: float = 1.0
    evidence: Path | None = None
    jobs: Path = Path("var/jobs")
    job_max_mb: int = 1_000
    job_max_listings: int = 5_000_000
    job_keep_hours: int = 72
    job_max_open: int = 100
    job_tiers: Tiers = "full"
    idempotency_hours: int = 24
    review_lease_minutes: int = 10
    review_grace_seconds: int = 30
    review_learn_daily: int = 20
    recall_poll: bool = False
    recall_sources: Path | None = None
    recall_clocks: Path | None = None
    recall_calendar: str = "authority"
    recall_regions: tuple[tuple[str, str], ...] = ()
    recall_warn_hours: int = 24
    recall_remind_hours: int = 24
    review_golden_share: float = 0.02
    review_golden_uses: int = 20
    access: str = "keys"
    session_hours: int = 12
    public_url: str | None = None
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    oidc_name: str = "OpenID"
    oidc_scopes: str = "openid profile email"
    oidc_roles_claim: str = "roles"
    oidc_roles: str = ""
    oidc_name_claim: str = "preferred_username"
    keep_assessments_days: int = 0
    keep_reviews_days: int = 0
    keep_names_days: int = 0
    metrics_open: bool = False
    requests_per_minute: int = 0
    listings_per_minute: int = 0
    log_format: str = "text"
    log_listings: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    hsts_seconds: int = 0
    trusted_proxies: str | None = None
    max_queue_ms: int = 500
    cores: tuple[int, ...] = ()
    remember_mb: int = 16
    drain_seconds: int = 0
    otlp_endpoint: str | None = None
    outgoing_networks: tuple[Network, ...] = ()
    hook_timeout_seconds: float = 10.0
    hook_backoff_seconds: float = 5.0
    hook_tries: int = 20
    hook_keep_days: int = 30
    pictures: Path = Path("var/pictures")
    picture_keep_hours: int = 720
    picture_max: int = 12
    picture_max_mb: int = 10
    picture_max_megapixels: int = 25
    picture_hosts: tuple[str, ...] = ()
    picture_fetch_seconds: float = 10.0
    picture_blur: bool = True
    captioners: tuple[str, ...] = ()
    captioner_seconds: float = 60.0
    caption_cache_mb: int = 50
    tesseract: str | None = None
    caption_model: Path | None = None
    caption_url: str | None = None
    caption_token: str | None = None
    caption_a_day: int = 10_000

    def __post_init__(self) -> None:
        if self.max_in_flight < self.max_listings:
            raise InputError(
                f"value {self.max_in_flight} is below {PREFIX}MAX_LISTINGS ({self.max_listings})",
                place=f"{PREFIX}MAX_IN_FLIGHT",
                hint="one request of the largest size must fit in",
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            missing = "TLS_KEY" if self.tls_key is None else "TLS_CERTIFICATE"
            raise InputError("is not set", place=f"{PREFIX}{missing}", hint="HTTPS needs certificate and key")
        if self.oidc_issuer is not None:
            for name in ("oidc_client_id", "oidc_roles"):
                if not getattr(self, name):
                    hint = "a provider needs the id of this client, and which of its roles is which here"
                    raise InputError("is not set", place=f"{PREFIX}{name.upper()}", hint=hint)

    @property
    def oidc_role_pairs(self) -> list[tuple[str, str]]:
        """Value in the provider's tokens and role here."""
        return [
            (value.strip(), role.strip())
            for value, _, role in (p.rpartition("=") for p in values.parts(self.oidc_roles))
        ]

    @property
    def max_body_bytes(self) -> int:
        """Longest request body in bytes."""
        return self.max_body_mb * 1_000_000

    @property
    def job_max_bytes(self) -> int:
        """Longest upload of a job in bytes."""
        return self.job_max_mb * 1_000_000

    @property
    def threads_of_a_worker(self) -> int:
        """Listings that each worker assesses at once."""
        return self.threads or max(1, (len(self.cores) or usable_cores()) // self.workers)

    def as_environment(self) -> dict[str, str]:
        """Return the variables from which `from_environment` reads these settings: how workers get them.

        Examples
        --------
        >>> Settings.from_environment(Settings(port=9000).as_environment()) == Settings(port=9000)
        True
        """
        return {PREFIX + field.name.upper(): _written(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read the settings; a variable that is unset or empty keeps its default.

        Raises
        ------
        InputError
            Naming the variable, its value and the mend.

        Examples
        --------
        >>> Settings.from_environment({"HAZARDLENS_PORT": "9000"}).port
        9000
        """
        given = os.environ if environment is None else environment
        found: dict[str, Any] = {}
        for field in fields(cls):
            raw = given.get(PREFIX + field.name.upper(), "").strip()
            if raw:
                found[field.name] = _READERS[field.name](PREFIX + field.name.upper(), raw)
        return cls(**found)


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join("=".join(each) if isinstance(each, tuple) else str(each) for each in value)
    return "" if value is None else str(value)


_READERS: dict[str, Callable[[str, str], Any]] = {
    "model": values.path,
    "model_watch": values.seconds,
    "workers": values.integer(1, 256),
    "database_url": values.text,
    "host": values.text,
    "port": values.integer(0, 65_535),
    "plan": values.path,
    "evidence": values.path,
    "threads": values.integer(1, 1_024),
    "max_listings": values.integer(1, 100_000),
    "max_full": values.integer(1, 100_000),
    "max_body_mb": values.integer(1, 1_000),
    "max_in_flight": values.integer(1, 10_000_000),
    "max_queue_ms": values.integer(1, 600_000),
    "cores": values.cores,
    "remember_mb": values.integer(0, 100_000),
    "drain_seconds": values.integer(0, 3_600),
    "log_level": values.choice({level: level for level in LOG_LEVELS}),
    "otlp_endpoint": values.url,
    "demo": values.yes_or_no,
    "plan_four_eyes": values.yes_or_no,
    "marketplace": values.path,
    "commitments": values.path,
    "buyers_keep_days": values.integer(1, 3_650),
    "shadow_plan": values.path,
    "shadow_model": values.path,
    "shadow_rate": values.share,
    "jobs": values.path,
    "job_max_mb": values.integer(1, 100_000),
    "job_max_listings": values.integer(1, 1_000_000_000),
    "job_keep_hours": values.integer(1, 24 * 365),
    "job_max_open": values.integer(1, 100_000),
    "job_tiers": values.choice({tiers: tiers for tiers in get_args(Tiers)}),
    "idempotency_hours": values.integer(1, 24 * 365),
    "review_lease_minutes": values.integer(1, 1_440),
    "review_grace_seconds": values.integer(0, 86_400),
    "review_learn_daily": values.integer(0, 1_000_000),
    "recall_poll": values.yes_or_no,
    "recall_sources": values.path,
    "recall_clocks": values.path,
    "recall_calendar": values.choice({calendar: calendar for calendar in RECALL_CALENDARS}),
    "recall_regions": values.regions,
    "recall_warn_hours": values.integer(1, 24 * 30),
    "recall_remind_hours": values.integer(1, 24 * 30),
    "review_golden_share": values.share,
    "review_golden_uses": values.integer(1, 1_000_000),
    "access": values.choice({access: access for access in ACCESS}),
    "session_hours": values.integer(1, 24 * 30),
    "public_url": values.safe_url,
    "oidc_issuer": values.safe_url,
    "oidc_client_id": values.text,
    "oidc_client_secret": values.text,
    "oidc_name": values.text,
    "oidc_scopes": values.text,
    "oidc_roles_claim": values.text,
    "oidc_roles": values.role_pairs,
    "oidc_name_claim": values.text,
    "keep_assessments_days": values.integer(0, 36_500),
    "keep_reviews_days": values.integer(0, 36_500),
    "keep_names_days": values.integer(0, 36_500),
    "metrics_open": values.yes_or_no,
    "requests_per_minute": values.integer(0, 1_000_000_000),
    "listings_per_minute": values.integer(0, 1_000_000_000),
    "log_format": values.choice({log_format: log_format for log_format in LOG_FORMATS}),
    "log_listings": values.yes_or_no,
    "tls_certificate": values.path,
    "tls_key": values.path,
    "hsts_seconds": values.integer(0, 100_000_000),
    "trusted_proxies": values.text,
    "captioners": values.names,
    "captioner_seconds": values.seconds,
    "caption_cache_mb": values.integer(1, 1_000_000),
    "tesseract": values.text,
    "caption_model": values.path,
    "caption_url": values.url,
    "caption_token": values.text,
    "caption_a_day": values.integer(0, 1_000_000_000),
    "outgoing_networks": values.networks,
    "hook_timeout_seconds": values.pause,
    "hook_backoff_seconds": values.pause,
    "hook_tries": values.integer(1, 100),
    "hook_keep_days": values.integer(1, 3_650),
    "pictures": values.path,
    "picture_keep_hours": values.integer(0, 24 * 365 * 10),
    "picture_max": values.integer(1, 50),
    "picture_max_mb": values.integer(1, 1_000),
    "picture_max_megapixels": values.integer(1, 100),
    "picture_hosts": values.hosts,
    "picture_fetch_seconds": values.seconds,
    "picture_blur": values.yes_or_no,
}
