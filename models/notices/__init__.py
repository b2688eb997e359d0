"""Recall notices for consumers (GPSR Article 36): what they must hold, what they must not say, in 18 languages."""
