"""The plan as a document that an authority reads, as HTML and as PDF."""
