"""Preference pairs: several answers to each prompt, scored, and which of two is the better."""
