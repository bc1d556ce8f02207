"""Web: pages and APIs, who is asking, and what they may do."""
