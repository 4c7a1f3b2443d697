"""Proofs by many kills: short here in the tests, long in `make proofs`."""
