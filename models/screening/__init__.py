"""The first of two tiers: a static encoder that tells cheaply which listings need the full one."""
