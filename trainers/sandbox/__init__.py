"""Programs that nobody vouches for: run where they can do no harm, tested so that they cannot lie.

`trainers.sandbox.sandbox` is what others use; `trainers.sandbox.launcher` is where the walls are.
"""
