"""The reference input: gradio's image box, whose file nobody but `core.imaging.images` opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from core.messages import say

_SHOWN = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM")
_AVIF = (b"ftypavif", b"ftypavis")


def reference_input() -> gr.Image:
    """Return an image box. Its events take the file as it came, `preprocess=False`.

    Gradio's own preprocessing opens every file with Pillow, so that a broken one ends in a bare failure.
    """
    box = gr.Image(
        label=say("ui-reference"),
        placeholder=say("ui-reference-placeholder"),
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        buttons=["fullscreen"],
        height=168,
        elem_id="reference",
    )
    refuse_addresses(box)
    return box


def refuse_addresses(component: Component) -> None:
    """Keep a file component from reading an address that is sent in place of an upload.

    Gradio would fetch it, with neither a cap nor a deadline. The method is replaced on the one
    component, because gradio writes a `.pyi` file beside every module that subclasses one.
    """
    keep = component.async_move_resource_to_block_cache

    async def move(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error(say("address-not-read"), print_exception=False)
        kept: str | None = await keep(path)
        return kept

    component.async_move_resource_to_block_cache = move


def path_of(payload: dict[str, Any] | None) -> str | None:
    """Return the uploaded file's path, None where the box is empty. Gradio has checked that it is an upload."""
    return payload.get("path") if payload else None


def shown_by_browsers(path: Path) -> bool:
    """Return whether browsers show a file's kind of picture; TIFF and HEIC they do not."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    return head.startswith(_SHOWN) or (head[:4], head[8:]) == (b"RIFF", b"WEBP") or head[4:] in _AVIF
