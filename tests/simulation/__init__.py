"""The delivery machinery in a world of its own: virtual time, a seeded scheduler, and faults that a seed draws."""
