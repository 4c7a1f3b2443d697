"""What infra/deploy says agrees with itself, with the settings, and with real servers."""
