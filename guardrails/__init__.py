"""What may go into a model and come out of it, and the only door to any model."""
