"""A result's file as it is handed out: with its recipe, with the mark of AI alone, or as the backend made it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from core.image_types import MIME_OF
from core.recipe import Recipe
from core.recipe_files.embed import Embed, can_hold, embed
from core.recipe_files.public import public_recipe
from core.recipe_files.texts import BrokenContainer


async def exported(path: Path, recipe: Recipe, what: Embed) -> bytes | None:
    """Return a stored picture's file with what it is to hold; None where it is handed out as it is stored.

    That is so where nothing is to be added, of kinds that hold no recipe, and of files that are damaged.

    Args:
        path: of the stored file.
        recipe: of this one picture.
        what: is added.

    Raises:
        OSError: the file is gone.
    """
    mime = MIME_OF[path.suffix]
    if what is Embed.NONE or not can_hold(mime):
        return None
    data = await asyncio.to_thread(path.read_bytes)
    try:
        return await asyncio.to_thread(embed, data, mime, recipe, what=what)
    except BrokenContainer:
        return None


def download(data: bytes, mime: str, name: str | None, headers: dict[str, str]) -> Response:
    """Return an answer that a browser stores as a file; without a name, one that it shows."""
    return Response(data, media_type=mime, headers=headers | disposition(name))


def recipe_file(recipe: Recipe, name: str | None) -> Response:
    """Return a recipe as a JSON file, to lie beside a picture that cannot hold it."""
    return JSONResponse(public_recipe(recipe).model_dump(mode="json"), headers=disposition(name))


def disposition(name: str | None) -> dict[str, str]:
    """Return the header that lets a browser store an answer as a file of this name; none where it has none."""
    if name is None:
        return {}
    quoted = quote(name, safe="")
    named = f'filename="{name}"' if quoted == name else f"filename*=utf-8''{quoted}"
    return {"Content-Disposition": f"attachment; {named}"}
