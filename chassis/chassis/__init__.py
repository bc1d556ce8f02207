"""What every service stands on: delivery, documents, identity, telemetry, the web shell."""
