"""The one shape of every error: problem details of RFC 9457, with the fields that are wrong."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

_URN = "urn:hazardlens:problem:"
_SHOWN = 80
_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxstring, _REPR.maxother, _REPR.maxlong = 3, _SHOWN, _SHOWN, _SHOWN


class FieldError(BaseModel):
    """One value that is wrong."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="path of the value, e.g. `captions[2].text`; empty for the whole")
    value: str | None = Field(description="the value, shortened; null where none was given")
    message: str
    hint: str = Field(description="what to do about it")


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "example": {
                "type": "urn:hazardlens:problem:invalid-listing",
                "title": "The listing is not valid",
                "status": 422,
                "detail": "title: is missing",
                "instance": "/v1/assessments#/listings/3",
                "errors": [
                    {"field": "title", "value": None, "message": "is missing", "hint": "add it; it may be empty"}
                ],
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] = Field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of its type, as `ProblemType.name`."""
        return self.type.removeprefix(_URN)


@dataclass(frozen=True)
class ProblemType:
    """A kind of problem: a stable name, a status and a title."""

    name: str
    status: int
    title: str

    @property
    def uri(self) -> str:
        """What stands in `type`."""
        return _URN + self.name


MALFORMED_JSON = ProblemType("malformed-json", 400, "The body is not JSON")
INVALID_KEY = ProblemType("invalid-idempotency-key", 400, "The Idempotency-Key is not valid")
UNAUTHENTICATED = ProblemType("unauthenticated", 401, "A valid key is needed")
WRONG_PASSWORD = ProblemType("wrong-password", 401, "Name and password do not fit")
SIGN_IN_FAILED = ProblemType("sign-in-failed", 403, "The sign-in did not succeed")
PASSWORD_DUE = ProblemType("password-due", 403, "A password of your own is needed")
FORBIDDEN = ProblemType("forbidden", 403, "The role of the key does not allow this")
NOT_FOUND = ProblemType("not-found", 404, "There is nothing here")
NOTHING_RESTRICTED = ProblemType("nothing-restricted", 409, "Nothing is restricted, so no statement of reasons is owed")
METHOD_NOT_ALLOWED = ProblemType("method-not-allowed", 405, "The method is not allowed here")
RECALL_CONFLICT = ProblemType("recall-conflict", 409, "The act does not fit how the case stands")
PLAN_CONFLICT = ProblemType("plan-conflict", 409, "The act does not fit the stored plans")
MODEL_CHANGED = ProblemType("model-changed", 409, "Another model is in force")
KEY_IN_USE = ProblemType("idempotency-key-in-use", 409, "The first request under this Idempotency-Key is under way")
JOB_UNFINISHED = ProblemType("job-unfinished", 409, "The job has not ended")
TOO_MANY_LISTINGS = ProblemType("too-many-listings", 413, "Too many listings in one request")
BODY_TOO_LARGE = ProblemType("body-too-large", 413, "The body is too large")
ROW_TOO_LONG = ProblemType("row-too-long", 413, "The line is too long")
UNSUPPORTED_MEDIA_TYPE = ProblemType("unsupported-media-type", 415, "The body is of a kind that is not read here")
NO_SUCH_RANGE = ProblemType("no-such-range", 416, "The result has no such bytes")
WRONG_SHAPE = ProblemType("wrong-shape", 422, "The body has another shape than expected")
INVALID_PARAMETER = ProblemType("invalid-parameter", 422, "A parameter is not valid")
INVALID_LISTING = ProblemType("invalid-listing", 422, "The listing is not valid")
INVALID_NOTICE = ProblemType("invalid-notice", 422, "The recall notice cannot be released")
NOTICE_UNRELEASED = ProblemType("notice-unreleased", 409, "The recall notice is not released")
INVALID_PLAN = ProblemType("invalid-plan", 422, "The plan has errors")
UNREADABLE_FILE = ProblemType("unreadable-file", 422, "The file cannot be read")
KEY_REUSED = ProblemType("idempotency-key-reused", 422, "The Idempotency-Key was used for another request")
TOO_MANY_SIGN_INS = ProblemType("too-many-sign-ins", 429, "Too many sign-ins have failed")
RATE_LIMITED = ProblemType("rate-limited", 429, "The allowance of the key is used up")
TOO_BUSY = ProblemType("too-busy", 429, "The server is full")
TOO_MANY_JOBS = ProblemType("too-many-jobs", 429, "Too many jobs have not ended")
INTERNAL_ERROR = ProblemType("internal-error", 500, "The server failed")
NOT_READY = ProblemType("not-ready", 503, "The server is not ready")
DRAINING = ProblemType("draining", 503, "The server is ending")
PROVIDER_UNAVAILABLE = ProblemType("provider-unavailable", 503, "The OpenID provider does not answer")
STORE_UNAVAILABLE = ProblemType("store-unavailable", 503, "The database does not answer")
DEADLINE = ProblemType("deadline", 504, "The deadline of the request cannot be kept")

PROBLEM_TYPES = (
    INVALID_NOTICE, NOTICE_UNRELEASED,
    MALFORMED_JSON, UNAUTHENTICATED, WRONG_PASSWORD, SIGN_IN_FAILED, PASSWORD_DUE, TOO_MANY_SIGN_INS, FORBIDDEN,
    NOT_FOUND, METHOD_NOT_ALLOWED, NOTHING_RESTRICTED, RECALL_CONFLICT, PLAN_CONFLICT, MODEL_CHANGED, TOO_MANY_LISTINGS,
    BODY_TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE, WRONG_SHAPE, INVALID_PARAMETER, INVALID_LISTING, INVALID_PLAN, INVALID_KEY, KEY_IN_USE,
    KEY_REUSED, JOB_UNFINISHED, ROW_TOO_LONG, NO_SUCH_RANGE, UNREADABLE_FILE, TOO_MANY_JOBS, RATE_LIMITED, TOO_BUSY,
    INTERNAL_ERROR, NOT_READY, DRAINING, STORE_UNAVAILABLE,
    PROVIDER_UNAVAILABLE, DEADLINE,
)  # fmt: skip


class ProblemError(Exception):
    """Ends a request with a problem.

    Parameters
    ----------
    kind : ProblemType
    detail : str
        What is wrong this time.
    errors : sequence of FieldError
    headers : mapping, optional
        Sent with the answer, e.g. ``Retry-After``.
    """

    def __init__(
        self,
        kind: ProblemType,
        detail: str,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    def at(self, instance: str) -> Problem:
        """Return the problem as it happened at a path."""
        return problem(self.kind, self.detail, instance, self.errors)


def problem(kind: ProblemType, detail: str, instance: str, errors: Sequence[FieldError] = ()) -> Problem:
    """Return the problem details of one kind."""
    return Problem(
        type=kind.uri, title=kind.title, status=kind.status, detail=detail, instance=instance, errors=list(errors)
    )


def problem_of_status(status: int) -> ProblemType:
    """Return the kind for a bare HTTP status, as the router raises it."""
    for kind in (NOT_FOUND, METHOD_NOT_ALLOWED):
        if kind.status == status:
            return kind
    phrase = HTTPStatus(status).phrase
    return ProblemType(phrase.lower().replace(" ", "-"), status, phrase)


def shortened(value: object, most: int = _SHOWN) -> str:
    """Return a value as a short text that can be written as JSON, whatever it holds.

    Examples
    --------
    >>> shortened("x" * 500)
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (500 characters)'
    """
    text = value if isinstance(value, str) else _REPR.repr(value)
    head = writable(text[:most])
    return head if len(text) <= most else f"{head}… ({len(text)} characters)"


def writable(text: str) -> str:
    """Return a text with lone surrogates and control characters spelled as escapes."""
    whole = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c in " \n\t" or ord(c) > 0x9F else f"\\x{ord(c):02x}" for c in whole)
