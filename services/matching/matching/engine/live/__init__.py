"""The live engine: answers one change at once, and moves few others for it."""
