"""The trainer: leads runs through their pipelines, under a human's hand."""

from agents.trainer.decide import TRAINER

__all__ = ["TRAINER"]
