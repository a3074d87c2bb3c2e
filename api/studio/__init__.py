"""The page's own API: JSON, and one stream of what changes."""
