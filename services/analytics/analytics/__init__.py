"""What may be said about inclusion."""
