"""Rosters on their way into the directory: read, tried out, imported."""
