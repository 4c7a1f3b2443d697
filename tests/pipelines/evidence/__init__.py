"""Statistics, tried on streams of a known truth and enumerated where that can be done."""
