"""What `ratchet types new` writes: a model type and its tests, ordinary code with another name."""
