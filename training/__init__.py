"""From sources and corpus to a registered model: fit, evaluate, track."""
