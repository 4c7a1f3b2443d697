"""Experts behind HTTP, asked as cloud models are."""
