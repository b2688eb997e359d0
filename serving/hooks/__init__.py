"""Webhooks: what happens here is told to the systems of the marketplace, at least once and never half."""
