"""What the app calls itself where it introduces itself to others."""

from __future__ import annotations

NAME = "SRPO Studio"
VERSION = "1.0"
PROJECT_URL = "https://github.com/srpo-studio/srpo-studio"
USER_AGENT = f"SRPO-Studio/{VERSION} (+{PROJECT_URL})"
"""Sent with every request to a stranger's server: many image hosts refuse the default names of libraries."""
