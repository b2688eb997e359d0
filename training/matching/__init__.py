"""How the matching of listings and alerts is learnt: alerts rewritten as listings, pairs, weights."""
