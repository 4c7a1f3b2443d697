"""An embedder that runs here: the weights of a small model, and what it makes of texts."""
