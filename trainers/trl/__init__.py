"""Training through TRL, where a job asks for it: the one place that knows TRL's names."""
