"""Alembic migrations; `serving.store.migrating` runs them."""
