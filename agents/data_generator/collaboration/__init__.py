"""Three models that make training data together: one looks up, one solves, one checks."""
