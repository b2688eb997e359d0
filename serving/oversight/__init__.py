"""Figures on the reviews of a period: what waits, what was decided, how right the model was."""
