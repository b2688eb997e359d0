"""HTTP routes and the one error shape."""
