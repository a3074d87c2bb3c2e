"""What the stand-ins draw: the reference, tinted by the seed, in its own size."""

from __future__ import annotations

import base64
import io

import httpx
from PIL import Image


async def fetched(address: str) -> bytes:
    """Return what a reference's address holds, as a provider would read it."""
    if address.startswith("data:"):
        return base64.b64decode(address.partition(",")[2])
    async with httpx.AsyncClient(timeout=None, verify=False) as client:  # plain HTTP, on this machine
        answer = await client.get(address)
    answer.raise_for_status()
    return answer.content


def drawn(reference: bytes, seed: int, output_format: str) -> bytes:
    """Return an edited picture's file."""
    image = Image.open(io.BytesIO(reference)).convert("RGB")
    tint = Image.new("RGB", image.size, (seed % 256, seed // 256 % 256, 99))
    file = io.BytesIO()
    Image.blend(image, tint, 0.5).save(file, output_format.upper())
    return file.getvalue()
