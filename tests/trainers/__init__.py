"""Tests of the trainers, and of the jobs in which they run."""
