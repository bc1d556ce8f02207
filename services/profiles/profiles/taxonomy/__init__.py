"""The areas of an organisation, and how they are edited."""
