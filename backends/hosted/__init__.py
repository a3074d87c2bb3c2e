"""What the hosted providers have in common."""
