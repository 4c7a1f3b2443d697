"""The embedder that runs here."""
