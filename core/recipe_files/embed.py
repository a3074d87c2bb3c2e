"""Exported files: the backend's picture, byte for byte, with its recipe and the mark of AI beside it."""

from __future__ import annotations

from enum import StrEnum

from core.imaging.headers import HEAD, size_of
from core.recipe import Recipe
from core.recipe_files import jpeg_file, png_file, webp_file
from core.recipe_files.infotext import infotext, tool
from core.recipe_files.labels import Labels
from core.recipe_files.public import public_recipe

_WRITERS = {"image/png": png_file.labelled, "image/jpeg": jpeg_file.labelled, "image/webp": webp_file.labelled}


class Embed(StrEnum):
    """What an exported file holds besides the picture."""

    RECIPE = "embed"
    """The recipe, as ours and as AUTOMATIC1111 writes settings, and the mark."""
    MARK = "mark"
    """That AI made the picture, and with which tool."""
    NONE = "none"
    """Nothing: the backend's own bytes."""


def can_hold(mime: str) -> bool:
    """Return whether files of a MIME type are written to; for all others a JSON file beside them takes the recipe."""
    return mime in _WRITERS


def embed(data: bytes, mime: str, recipe: Recipe, *, what: Embed) -> bytes:
    """Return the file as it is exported. The compressed picture stays byte for byte, and the backend's other blocks do.

    Blocks of the kinds that are written here are replaced, whoever wrote them; with MARK nothing takes the place of
    settings. XMP and EXIF of the backend are merged with ours, so that rights and orientation stay. A file that does
    not say which colour space it is in is tagged as sRGB. Signatures over the whole file, such as C2PA's, do not
    survive.

    Args:
        data: the file as it is stored.
        mime: its MIME type; one that `can_hold` does not know gives the file as it is.
        recipe: of the picture; its `public_recipe` is written.
        what: NONE gives the file as it is.

    Raises:
        BrokenContainer: the bytes are not of that type, or damaged where blocks are written.
    """
    write = _WRITERS.get(mime)
    if write is None or what is Embed.NONE:
        return data
    public = public_recipe(recipe)
    if what is Embed.MARK:
        return write(data, Labels(tool(public)))
    text = infotext(public, size_of(data[:HEAD]))
    return write(data, Labels(tool(public), public.model_dump_json(), text))
