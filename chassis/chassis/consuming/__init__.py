"""Consuming: a fetched batch becomes an outcome for each of its records; dead letters, parked keys, their redrive."""
