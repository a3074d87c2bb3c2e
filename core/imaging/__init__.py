"""Picture files: what they are, read and checked, normalised, encoded."""
