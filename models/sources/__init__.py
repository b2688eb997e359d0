"""Readers that turn files into listings, examples and alerts: tables, Safety Gate, OpenDataSoft, CPSC."""
