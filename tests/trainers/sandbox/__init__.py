"""Tests of the sandbox: programs that want out of it, and programs that do not."""
