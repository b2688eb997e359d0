"""Which role may use which route: the one table of it. What stands in no row is refused to everybody."""

from __future__ import annotations

from serving.access.principal import EVERY_ROLE, Role

Roles = frozenset[Role]

OPEN: Roles = frozenset()
"""No key is asked for: probes, what a browser needs to sign in, and pages for consumers."""
_UPLOADER, _REVIEWER, _SCIENTIST, _ADMIN = Role.UPLOADER, Role.REVIEWER, Role.SCIENTIST, Role.ADMIN


def _and_admin(*roles: Role) -> Roles:
    """An admin may do everything."""
    return frozenset((*roles, _ADMIN))


_STAFF = _and_admin(_REVIEWER, _SCIENTIST)
_CONSOLE = _and_admin(_REVIEWER)

ROLES: dict[tuple[str, str], Roles] = {
    ("GET", "/healthz"): OPEN,
    ("GET", "/readyz"): OPEN,
    ("POST", "/session"): OPEN,
    ("GET", "/session/oidc"): OPEN,
    ("GET", "/session/oidc/callback"): OPEN,
    ("DELETE", "/session"): EVERY_ROLE,
    ("GET", "/account"): EVERY_ROLE,
    ("POST", "/account/name"): EVERY_ROLE,
    ("POST", "/account/password"): EVERY_ROLE,
    ("POST", "/account/language"): EVERY_ROLE,
    ("POST", "/account/sign-out"): EVERY_ROLE,
    ("GET", "/accounts"): _and_admin(),
    ("POST", "/accounts"): _and_admin(),
    ("POST", "/accounts/{account_id}/reset"): _and_admin(),
    ("POST", "/accounts/{account_id}/roles"): _and_admin(),
    ("POST", "/accounts/{account_id}/disable"): _and_admin(),
    ("POST", "/accounts/{account_id}/enable"): _and_admin(),
    ("POST", "/accounts/{account_id}/sign-out"): _and_admin(),
    ("GET", "/static/{path}"): OPEN,
    ("GET", "/authorities"): OPEN,
    ("GET", "/authorities/{country}"): OPEN,
    ("GET", "/v1/authorities"): OPEN,
    ("GET", "/v1/authorities/{country}"): OPEN,
    ("GET", "/metrics"): _and_admin(_SCIENTIST),
    ("GET", "/openapi.json"): EVERY_ROLE,
    ("GET", "/"): _STAFF,
    ("GET", "/assessments/{assessment_id}"): _STAFF,
    ("POST", "/v1/assessments"): EVERY_ROLE,
    ("GET", "/v1/assessments"): _STAFF,
    ("GET", "/v1/assessments/{assessment_id}"): EVERY_ROLE,
    ("GET", "/v1/assessments/{assessment_id}/explanation"): EVERY_ROLE,
    ("GET", "/v1/assessments/{assessment_id}/pictures"): EVERY_ROLE,
    ("GET", "/v1/pictures/{picture_id}"): _CONSOLE,
    ("GET", "/v1/known-pictures"): _CONSOLE,
    ("POST", "/v1/known-pictures"): _CONSOLE,
    ("DELETE", "/v1/known-pictures/{known_id}"): _CONSOLE,
    ("GET", "/v1/assessments/{assessment_id}/statement"): _and_admin(_REVIEWER),
    ("POST", "/v1/statements"): _and_admin(_REVIEWER),
    ("POST", "/v1/statements/check"): _and_admin(_REVIEWER),
    ("POST", "/v1/jobs"): EVERY_ROLE,
    ("GET", "/v1/jobs"): EVERY_ROLE,
    ("GET", "/v1/jobs/{job_id}"): EVERY_ROLE,
    ("GET", "/v1/jobs/{job_id}/result"): EVERY_ROLE,
    ("POST", "/v1/jobs/{job_id}/cancel"): EVERY_ROLE,
    ("DELETE", "/v1/jobs/{job_id}"): EVERY_ROLE,
    ("GET", "/v1/model"): EVERY_ROLE,
    ("POST", "/v1/model/reload"): _and_admin(),
    ("GET", "/v1/plans"): _STAFF,
    ("GET", "/v1/plans/{name}"): _STAFF,
    ("POST", "/v1/plans"): _and_admin(_SCIENTIST),
    ("POST", "/v1/plans/rollback"): _and_admin(_SCIENTIST),
    ("POST", "/v1/plans/{name}/activate"): _and_admin(),
    ("GET", "/v1/shadow"): _and_admin(_SCIENTIST),
    ("GET", "/v1/shadow/differences"): _and_admin(_SCIENTIST),
    ("POST", "/v1/recalls/notices"): _CONSOLE,
    ("GET", "/v1/recalls/cases"): _STAFF,
    ("GET", "/v1/recalls/cases/{case_id}"): _STAFF,
    ("GET", "/v1/recalls/cases/{case_id}/matches"): _STAFF,
    ("POST", "/v1/recalls/cases/{case_id}/matches"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/judgements"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/judgements/take-back"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/search"): _CONSOLE,
    ("GET", "/v1/recalls/cases/{case_id}/statement"): _STAFF,
    ("POST", "/v1/recalls/cases/{case_id}/answer"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/informed"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/close"): _CONSOLE,
    ("POST", "/v1/recalls/cases/{case_id}/reopen"): _CONSOLE,
    ("POST", "/v1/recalls/clocks/{clock_id}"): _CONSOLE,
    ("GET", "/v1/recalls/orders"): _and_admin(_UPLOADER, _REVIEWER),
    ("GET", "/v1/recalls/orders/{order_id}"): _and_admin(_UPLOADER, _REVIEWER),
    ("POST", "/v1/recalls/orders/{order_id}/receipt"): _and_admin(_UPLOADER, _REVIEWER),
    ("GET", "/v1/recalls/sources"): _STAFF,
    ("GET", "/v1/recalls/documents/{document_id}"): _STAFF,
    ("GET", "/recalls"): _CONSOLE,
    ("GET", "/recalls/notices/new"): _CONSOLE,
    ("POST", "/recalls/notices"): _CONSOLE,
    ("GET", "/recalls/cases/{case_id}"): _CONSOLE,
    ("POST", "/recalls/cases/{case_id}/preview"): _CONSOLE,
    ("POST", "/recalls/cases/{case_id}/judge"): _CONSOLE,
    ("POST", "/recalls/cases/{case_id}/take-back"): _CONSOLE,
    ("POST", "/recalls/cases/{case_id}/answer"): _CONSOLE,
    ("POST", "/recalls/cases/{case_id}/act"): _CONSOLE,
    ("POST", "/recalls/clocks/{clock_id}"): _CONSOLE,
    ("GET", "/v1/webhooks"): _and_admin(),
    ("POST", "/v1/webhooks"): _and_admin(),
    ("GET", "/v1/webhooks/{endpoint_id}"): _and_admin(),
    ("PATCH", "/v1/webhooks/{endpoint_id}"): _and_admin(),
    ("DELETE", "/v1/webhooks/{endpoint_id}"): _and_admin(),
    ("POST", "/v1/webhooks/{endpoint_id}/rotate"): _and_admin(),
    ("POST", "/v1/webhooks/{endpoint_id}/ping"): _and_admin(),
    ("POST", "/v1/webhooks/{endpoint_id}/resend-dead"): _and_admin(),
    ("GET", "/v1/webhook-deliveries"): _and_admin(),
    ("GET", "/v1/webhook-deliveries/{delivery_id}"): _and_admin(),
    ("POST", "/v1/webhook-deliveries/{delivery_id}/resend"): _and_admin(),
    ("GET", "/v1/figures/pledge"): _STAFF,
    ("GET", "/review/cases/{case_id}/notice"): _CONSOLE,
    ("POST", "/review/cases/{case_id}/notice"): _CONSOLE,
    ("POST", "/review/cases/{case_id}/notice/release"): _CONSOLE,
    ("GET", "/v1/cases/{case_id}/notice"): _CONSOLE,
    ("PUT", "/v1/cases/{case_id}/notice"): _CONSOLE,
    ("POST", "/v1/cases/{case_id}/notice/release"): _CONSOLE,
    ("GET", "/v1/cases/{case_id}/notices/{language}"): _and_admin(_REVIEWER, _UPLOADER),
    ("POST", "/v1/cases/{case_id}/buyers"): _and_admin(_UPLOADER),
    ("POST", "/v1/cases/{case_id}/buyers/receipts"): _and_admin(_UPLOADER),
    ("GET", "/v1/cases/{case_id}/buyers"): _and_admin(_REVIEWER, _UPLOADER),
    ("GET", "/v1/cases/{case_id}/buyers/list"): _and_admin(_UPLOADER),
    ("GET", "/review/figures"): _STAFF,
    ("GET", "/review/commitments"): _STAFF,
    ("GET", "/review"): _CONSOLE,
    ("GET", "/review/counts"): _CONSOLE,
    ("POST", "/review/next"): _CONSOLE,
    ("POST", "/review/views"): _CONSOLE,
    ("POST", "/review/views/{view_id}"): _CONSOLE,
    ("POST", "/review/views/{view_id}/delete"): _CONSOLE,
    ("POST", "/review/views/{view_id}/default"): _CONSOLE,
    ("POST", "/review/bulk"): _CONSOLE,
    ("POST", "/review/bulk/preview"): _CONSOLE,
    ("POST", "/review/batches/{batch}/undo"): _CONSOLE,
    ("POST", "/review/decisions/{decision_id}/undo"): _CONSOLE,
    ("GET", "/review/items/{item_id}"): _CONSOLE,
    ("GET", "/review/items/{item_id}/why"): _CONSOLE,
    ("GET", "/review/items/{item_id}/pictures"): _CONSOLE,
    ("POST", "/review/items/{item_id}/worksheet"): _CONSOLE,
    ("POST", "/review/items/{item_id}/claim"): _CONSOLE,
    ("POST", "/review/items/{item_id}/renew"): _CONSOLE,
    ("POST", "/review/items/{item_id}/release"): _CONSOLE,
    ("POST", "/review/items/{item_id}/skip"): _CONSOLE,
    ("POST", "/review/items/{item_id}/hold"): _CONSOLE,
    ("POST", "/review/items/{item_id}/escalate"): _CONSOLE,
    ("POST", "/review/items/{item_id}/decide"): _CONSOLE,
    ("GET", "/review/webhooks"): _and_admin(),
    ("POST", "/review/webhooks"): _and_admin(),
    ("POST", "/review/webhooks/{endpoint_id}/{act}"): _and_admin(),
    ("GET", "/review/webhooks/deliveries/{delivery_id}"): _and_admin(),
    ("POST", "/review/webhooks/deliveries/{delivery_id}/resend"): _and_admin(),
    ("GET", "/review/complaints"): _CONSOLE,
    ("POST", "/review/complaints/{appeal_id}"): _CONSOLE,
    ("GET", "/review/dashboard"): _STAFF,
    ("GET", "/review/dashboard/{figure}"): _STAFF,
    ("GET", "/review/golden"): _and_admin(_SCIENTIST),
    ("POST", "/review/golden/{golden_id}/retire"): _and_admin(),
    ("POST", "/review/items/{item_id}/golden"): _and_admin(),
    ("GET", "/review/quality"): _STAFF,
    ("GET", "/review/log"): _STAFF,
    ("POST", "/review/log/verify"): _STAFF,
    ("GET", "/review/log/export"): _STAFF,
}
"""By method and pattern of the path."""

_OPEN_BELOW = {
    pattern.partition("{")[0]: pattern for (_, pattern), roles in ROLES.items() if roles == OPEN and "{" in pattern
}
"""Patterns that are open, by how their paths begin."""

WITHOUT_OWN_PASSWORD = frozenset(
    {
        ("DELETE", "/session"),
        ("GET", "/account"),
        ("POST", "/account/password"),
        ("POST", "/account/language"),
        ("POST", "/account/sign-out"),
    }
)
"""What a person may do who signed in with a password that somebody else has chosen."""


def roles_of(method: str, pattern: str) -> Roles | None:
    """Return who may use a route; None where the table does not name it."""
    return ROLES.get(("GET" if method == "HEAD" else method, pattern))


def is_open(method: str, path: str) -> bool:
    """Tell whether a path, not a pattern, is answered without a key.

    Examples
    --------
    >>> is_open("GET", "/healthz"), is_open("GET", "/v1/model"), is_open("GET", "/static/0a1b/app.js")
    (True, False, True)
    """
    pattern = next((pattern for start, pattern in _OPEN_BELOW.items() if path.startswith(start)), path)
    return roles_of(method, pattern) == OPEN
