"""Measured by the Python of their own environments: nothing of ours is imported here but contracts and the meter."""
