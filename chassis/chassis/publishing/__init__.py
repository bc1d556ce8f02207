"""Publishing: what documents owe goes to the broker, in order per key, by one sender a document."""
