"""Who acts: a pure state and pure decisions for each agent, and one shell that does the work."""
