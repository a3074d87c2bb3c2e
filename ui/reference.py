"""The reference input: gradio's image box, handing over the file as it came."""

from __future__ import annotations

import gradio as gr
from gradio.data_classes import ImageData

from ui import text


def reference_input() -> gr.Image:
    """Return an image box that never opens the file: `core.images` does, with its limits and its messages.

    Gradio's own opens every file with Pillow first, so that a broken one ends in a bare failure. The
    method is replaced on the one box rather than in a subclass, because gradio writes a `.pyi` file
    beside every module that subclasses a component.
    """
    box = gr.Image(
        label=text.REFERENCE,
        placeholder=text.REFERENCE_PLACEHOLDER,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        buttons=["fullscreen"],
        height=168,
        elem_id="reference",
    )
    box.preprocess = path_of
    return box


def path_of(payload: ImageData | None) -> str | None:
    """Return the uploaded file's path, None where the box is empty. Gradio has checked that it is an upload."""
    return payload.path if payload else None
