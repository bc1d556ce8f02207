"""The market as arrays: records of people, the points of a pair, and indexes to search in."""
