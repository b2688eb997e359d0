"""Reviews: who looks at what first, what they decide, and the proof of it."""
