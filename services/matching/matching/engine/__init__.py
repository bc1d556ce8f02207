"""The matching engine: pure, arrays in and proposals out."""
