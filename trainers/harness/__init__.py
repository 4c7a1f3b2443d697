"""Benchmarks: a model is asked the rows of a task, by our own loop or by EleutherAI's harness.

Three kinds of rows: a choice, a number, a program. Whoever asks, scores are given here, and what a
model has written as a program runs in the sandbox and nowhere else.
"""
