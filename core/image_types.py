"""The kinds of picture files that are stored: their MIME types, and how their names end."""

from __future__ import annotations

SUFFIX = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tiff",
    "image/heic": ".heic",
    "image/jxl": ".jxl",
    "image/jp2": ".jp2",
}
"""File name suffixes by MIME type."""
MIME_OF = {suffix: mime for mime, suffix in SUFFIX.items()}
"""MIME types by file name suffix."""
