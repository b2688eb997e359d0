"""What everything else stands on: the domain, the official sources, the knowledge base and the classifier."""
