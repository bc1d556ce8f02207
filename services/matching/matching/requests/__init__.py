"""Looking for somebody by oneself, asking, offering."""
