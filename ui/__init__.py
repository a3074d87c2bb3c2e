"""The face of the studio, in Gradio. It knows core and nothing else of the house."""

from ui.stubs import skip_stubs

skip_stubs()

from ui.studio import build  # noqa: E402 - the framework is imported with it

__all__ = ["build"]
