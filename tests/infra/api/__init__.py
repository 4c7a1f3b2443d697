"""The HTTP door, without a network in between."""
