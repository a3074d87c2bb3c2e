"""The reference input: gradio's image box, whose file nobody but `core.images` opens."""

from __future__ import annotations

from typing import Any

import gradio as gr

from ui import text


def reference_input() -> gr.Image:
    """Return an image box. Its events take the file as it came, `preprocess=False`.

    Gradio's own preprocessing opens every file with Pillow, so that a broken one ends in a bare failure.
    """
    return gr.Image(
        label=text.REFERENCE,
        placeholder=text.REFERENCE_PLACEHOLDER,
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        buttons=["fullscreen"],
        height=168,
        elem_id="reference",
    )


def path_of(payload: dict[str, Any] | None) -> str | None:
    """Return the uploaded file's path, None where the box is empty. Gradio has checked that it is an upload."""
    return payload.get("path") if payload else None
