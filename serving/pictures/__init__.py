"""Pictures of listings: taken in with the listing, read behind the calls, kept for a while, known again."""
