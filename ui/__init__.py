"""The face of the studio, in Gradio. It knows core and nothing else of the house."""

from ui.studio import build

__all__ = ["build"]
