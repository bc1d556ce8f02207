"""What the services say: events, topics and the catalogue."""
