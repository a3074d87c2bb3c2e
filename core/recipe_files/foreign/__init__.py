"""Settings that other tools wrote into their pictures: what can be mapped to this app's, and what cannot.

A parser for each tool, over the texts of the file. Nothing in them is trusted: each is read in time that grows with its
length, and what comes out is numbers within their range, and text. XMP is not read: none of these tools writes its
settings there.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.recipe_files.foreign.a1111 import read_a1111
from core.recipe_files.foreign.comfyui import read_comfyui
from core.recipe_files.foreign.fooocus import read_fooocus
from core.recipe_files.foreign.invokeai import read_invokeai
from core.recipe_files.foreign.novelai import read_novelai
from core.recipe_files.foreign.swarmui import read_swarmui
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source, Unmapped

__all__ = ["Foreign", "Source", "Unmapped", "read_foreign"]

READERS = (read_novelai, read_invokeai, read_swarmui, read_fooocus, read_comfyui, read_a1111)
"""In this order: SwarmUI and Fooocus write `parameters` too, and nodes of ComfyUI write AUTOMATIC1111's text beside
the workflow, which counts where the workflow cannot be followed."""


def read_foreign(texts: Mapping[str, str]) -> Foreign | None:
    """Return the settings of another tool, None where the file has none. It never raises.

    Args:
        texts: of the file, by keyword: PNG's text chunks as they are, EXIF as `exif:UserComment` and so on, a comment
            as `comment`.
    """
    prepared = Texts(texts)
    empty = None
    for read in READERS:
        found = read(prepared)
        if found is not None and (found.prompt or found.params or found.seed is not None):
            return found
        empty = empty or found
    return empty
