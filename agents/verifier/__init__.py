"""The verifier: has models measured behind their runs, and withdraws what is surely worse."""

from agents.verifier.decide import VERIFIER

__all__ = ["VERIFIER"]
