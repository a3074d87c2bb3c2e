"""The names of the Gradio API's endpoints."""

from __future__ import annotations

NAMES = ("edit", "experiment")
ENDPOINTS = "|".join(NAMES)
"""As a part of a pattern of paths."""
