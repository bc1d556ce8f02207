"""The bulk run: everybody of a market at once, compiled, over columns of numbers."""
