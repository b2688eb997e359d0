"""The classifier: listing -> text, language, vectors, hazards, level and reasons. Needs neither torch nor mlflow."""
