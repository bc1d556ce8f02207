"""The engine's role: what it remembers, what it proposes, and its runs."""
