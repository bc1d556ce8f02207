"""Who people are and what they allow."""
