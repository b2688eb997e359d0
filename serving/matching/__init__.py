"""Matching in a running server: signatures kept, alerts looked for, judgements remembered, the store searched."""
