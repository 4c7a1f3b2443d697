"""NATS: how other programs hear the log, speak to it, and work for it."""
