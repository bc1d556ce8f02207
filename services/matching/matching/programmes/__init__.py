"""Programmes as their leads work on them: setting up, looking over, reports."""
