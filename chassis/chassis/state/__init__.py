"""State: documents changed by one compare-and-set that stores what they say and ask beside them."""
