"""Recipes inside picture files: written beside the compressed pixels, which stay byte for byte, and read back."""
