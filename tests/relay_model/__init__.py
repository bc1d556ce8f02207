"""Small explicit-state models of the delivery protocols, explored exhaustively."""
