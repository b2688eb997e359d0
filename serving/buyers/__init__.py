"""Buyers of recalled products: the notice that they get, who they are for as long as needed, and what came of it."""
