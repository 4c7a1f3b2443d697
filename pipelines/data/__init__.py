"""What good training data is: rows, what repeats, what leaks, how good the whole is, and pairs."""
