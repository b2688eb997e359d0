"""Requests that the server sends to addresses that others name: checked before anything is connected."""
