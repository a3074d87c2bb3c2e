"""HTTP around the app: who comes in, and the wire formats of the hosted providers, a folder each."""
