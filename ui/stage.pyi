"""The stage: a component of our own, because reference, preview and results must share one place."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import gradio as gr

from ui import text
from ui.examples import EXAMPLES

ASSETS = Path(__file__).resolve().parent.parent / "assets"

PARTS = """
<section class="stage" data-state="empty" data-words="{words}" aria-label="Reference and result">
  <header><h2>{result}</h2><div data-part="queue" class="queue"></div>
    <div data-part="views" class="views" role="group" aria-label="View"></div></header>
  <div data-part="message" class="messages"></div>
  <div data-part="body" class="body"></div>
  <div data-part="progress" class="progress-place"></div>
  <footer><div data-part="facts" class="facts"></div><div data-part="actions" class="actions"></div></footer>
  <div data-part="strip" class="strip"></div>
  <div data-part="live" class="visually-hidden" role="status" aria-live="polite"></div>
  <dialog class="full" aria-label="{full}"></dialog>
</section>
"""

from gradio.events import Dependency

class Stage(gr.HTML):
    """Draws `Session.view()`.

    Its events, beside those of gradio: `example` ({index}), `use_reference` and `reuse_settings` ({run, cell}).
    """

    is_template = True

    def __init__(self, value: dict[str, Any], **kwargs: Any) -> None:
        examples = [{"title": each.title, "prompt": each.prompt, "url": f"examples/{each.file}"} for each in EXAMPLES]
        words = html.escape(json.dumps({**text.STAGE_WORDS, "examples": examples}), quote=True)
        # The template is also a JavaScript template string: its special signs must not appear in the words.
        words = words.replace("`", "&#96;").replace("${", "&#36;{").replace("{{", "{ {")
        super().__init__(
            value,
            html_template=PARTS.format(words=words, result=text.RESULT, full=text.STAGE_WORDS["fullView"]),
            js_on_load=(ASSETS / "stage.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            **kwargs,
        )
    from typing import Callable, Literal, Sequence, Any, TYPE_CHECKING
    from gradio.blocks import Block
    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component