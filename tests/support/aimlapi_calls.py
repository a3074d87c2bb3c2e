"""Calls of AI/ML API's format as we serve it."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.fakes import picture_bytes

PICTURE = "data:image/png;base64," + base64.b64encode(picture_bytes()).decode()
BODY: dict[str, Any] = {
    "model": "flux/srpo/image-to-image",
    "prompt": "Add a bird to the foreground of the photo.",
    "image_url": PICTURE,
    "strength": 0.9,
}
RUN = "/v1/images/generations"
