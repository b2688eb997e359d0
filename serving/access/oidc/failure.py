"""Why a sign-in by a provider does not succeed."""

from __future__ import annotations


class SignInError(Exception):
    """The person is not let in; the message is for them."""


class ProviderError(Exception):
    """The provider does not do its part; the message is for the log."""
