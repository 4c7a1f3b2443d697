"""Tests that need a nats-server, which they start themselves."""
