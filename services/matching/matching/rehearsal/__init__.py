"""A programme tried on files: who would get whom, how far it reaches and why not further, without a server."""
