"""Tests of what only an accelerator shows; here the same code also runs small, without one."""
