"""What the fleet knows: shared knowledge, and a memory for each model and role."""
