"""Links between listings and alerts: normalised identifiers and names, features, one combiner, exact search."""
