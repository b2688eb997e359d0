"""Where assessments are kept: SQLite by default, PostgreSQL by URL."""
