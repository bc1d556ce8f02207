"""Inviting people who would not think of themselves."""
