"""Pictures of listings and alerts: read safely, told apart, found again."""
