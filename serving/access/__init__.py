"""Who asks, and what that person or program may do."""
