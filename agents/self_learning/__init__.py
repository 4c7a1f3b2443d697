"""Self-learning: what models remember, what they tell each other, and what they learn together."""

from agents.self_learning.decide import SELF_LEARNING

__all__ = ["SELF_LEARNING"]
