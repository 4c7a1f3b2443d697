"""What must not change unnoticed: the shapes of events, and the words of the command line."""
