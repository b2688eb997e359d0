"""Signatures: what was sent passes, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.hooks.signing import WebhookRefusedError, new_secret, signature_header, verify_webhook

NOW = 1_700_000_000


@given(st.binary(), st.integers(0, 10**11), st.lists(st.text(min_size=1), min_size=1, max_size=3))
def test_what_was_signed_passes_by_each_secret(body: bytes, at: int, secrets: list[str]) -> None:
    header = signature_header(secrets, at, body)
    for secret in secrets:
        assert verify_webhook(secret, header, body, now=at) == at
    assert verify_webhook(["another", *secrets], header, body, now=at) == at


@given(st.binary(), st.binary())
def test_another_body_does_not_pass(body: bytes, other: bytes) -> None:
    if body != other:
        with pytest.raises(WebhookRefusedError, match="no signature fits"):
            verify_webhook("s", signature_header(["s"], NOW, body), other, now=NOW)


def test_another_time_does_not_pass() -> None:
    header = signature_header(["s"], NOW, b"{}").replace(str(NOW), str(NOW + 1))
    with pytest.raises(WebhookRefusedError, match="no signature fits"):
        verify_webhook("s", header, b"{}", now=NOW)


def test_another_secret_does_not_pass() -> None:
    with pytest.raises(WebhookRefusedError, match="no signature fits"):
        verify_webhook(new_secret(), signature_header([new_secret()], NOW, b"{}"), b"{}", now=NOW)


def test_without_a_secret_nothing_passes() -> None:
    with pytest.raises(WebhookRefusedError, match="no signature fits"):
        verify_webhook([], signature_header(["s"], NOW, b"{}"), b"{}", now=NOW)


@pytest.mark.parametrize("away", [-301, 301, 10**9])
def test_what_was_sent_long_ago_or_in_the_future_does_not_pass(away: int) -> None:
    header = signature_header(["s"], NOW, b"{}")
    with pytest.raises(WebhookRefusedError, match="at most 300 s"):
        verify_webhook("s", header, b"{}", now=NOW + away)


@pytest.mark.parametrize("away", [-300, 0, 300])
def test_the_tolerance_goes_both_ways(away: int) -> None:
    assert verify_webhook("s", signature_header(["s"], NOW, b"{}"), b"{}", now=NOW + away) == NOW


@pytest.mark.parametrize(
    "header", ["", "t=", "v1=00", "t=1,t=2,v1=00", "t=abc,v1=00", "t=-1,v1=00", "t=1", "x" * 5_000, "t=1;v1=00"]
)
def test_a_header_that_is_none_does_not_pass(header: str) -> None:
    with pytest.raises(WebhookRefusedError):
        verify_webhook("s", header, b"{}", now=1)


@given(st.text())
def test_any_header_is_refused_and_nothing_breaks(header: str) -> None:
    with pytest.raises(WebhookRefusedError):
        verify_webhook("s", header, b"{}", now=1)
