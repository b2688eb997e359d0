"""A plan and a model on trial: they see live traffic beside the live ones, and have no effect."""
