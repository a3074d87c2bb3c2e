"""The wire formats of the hosted providers, served by this app."""
