"""Arranging sessions, by the two of a pair or a delegate, and what they keep of them."""
