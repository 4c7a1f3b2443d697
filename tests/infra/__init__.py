"""Everything put together: the house, its door, its commands, real processes."""
