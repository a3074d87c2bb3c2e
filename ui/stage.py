"""The stage: a component of our own, because reference, preview and results must share one place."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import gradio as gr

from core.messages import say
from ui import text
from ui.examples import EXAMPLES

ASSETS = Path(__file__).resolve().parent.parent / "assets"

PARTS = """
<section class="stage" data-state="empty" data-words="{words}" aria-label="{label}">
  <header><h2>{result}</h2><div data-part="queue" class="queue"></div>
    <div data-part="views" class="views" role="group" aria-label="{view}"></div></header>
  <div data-part="body" class="body"></div>
  <div class="below"><div data-part="progress"></div><div data-part="message"></div></div>
  <footer><div data-part="facts" class="facts"></div><div data-part="actions" class="actions"></div></footer>
  <div data-part="strip" class="strip"></div>
  <div data-part="live" class="visually-hidden" role="status" aria-live="polite"></div>
  <dialog class="full" aria-label="{full}"></dialog>
</section>
"""


def stage(value: dict[str, Any]) -> gr.HTML:
    """Return the component that draws `Session.view()`; how, stands in `assets/stage.js`.

    Its events, beside those of gradio: `example` ({index}), `use_reference` and `reuse_settings` ({run, cell}).
    """
    examples = [{"title": str(each.title), "prompt": each.prompt, "url": f"examples/{each.file}"} for each in EXAMPLES]
    words = html.escape(json.dumps({**text.stage_words(), "examples": examples}), quote=True)
    # The template is also a JavaScript template string and a Handlebars one: their signs may not stand in the words.
    words = words.replace("`", "&#96;").replace("${", "&#36;{").replace("{{", "{ {")
    return gr.HTML(
        value,
        html_template=PARTS.format(
            words=words,
            label=say("ui-stage"),
            result=say("ui-result"),
            view=say("ui-view"),
            full=say("stage-full-view"),
        ),
        js_on_load=(ASSETS / "stage.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="stage",
    )
