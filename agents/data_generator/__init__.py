"""The data generator: has data sets made, part by part, and says which may be trained on."""

from agents.data_generator.decide import DATA_GENERATOR

__all__ = ["DATA_GENERATOR"]
