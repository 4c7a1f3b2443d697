"""How models are trained: each trainer read from top to bottom, run as a job of its own."""
