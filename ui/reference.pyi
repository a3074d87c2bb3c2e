"""The reference input: gradio's image box, handing over the file as it came."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from gradio.events import Dependency

class ReferenceInput(gr.Image):
    """An image box that never opens the file: `core.images` does, with its limits and its messages.

    Gradio's own opens every file with Pillow first, so that a broken one ends in a bare failure.
    """

    is_template = True

    def preprocess(self, payload: ImageData | None) -> str | None:
        """Return the uploaded file's path, None where the box is empty."""
        return payload.path if payload else None
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component