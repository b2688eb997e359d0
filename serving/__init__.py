"""The server: scoring API, page, store."""
