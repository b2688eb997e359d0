"""What would a plan have done? Kept assessments replayed under another plan, or another model and plan together."""
