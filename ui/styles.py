"""The style chips under the prompt: what a model is known to have learnt, one click away."""

from __future__ import annotations

import html
from typing import Any

import gradio as gr

from core.spec import BackendSpec
from ui import text


def style_chips(spec: BackendSpec) -> gr.HTML:
    """Return the component; its event, beside those of gradio, is `pick` ({prompt})."""
    return gr.HTML(
        **shown(spec),
        js_on_load=(
            "element.addEventListener('click', (event) => {"
            " const chip = event.target.closest('button'); if (chip) trigger('pick', { prompt: chip.dataset.prompt });"
            "})"
        ),
        apply_default_css=False,
        elem_id="styles",
    )


def shown(spec: BackendSpec) -> dict[str, Any]:
    """Return what the component shows for a backend: one button for each style; hidden where it lists none."""
    buttons = "".join(
        f'<button type="button" data-prompt="{html.escape(style.prompt)}">{html.escape(style.label)}</button>'
        for style in spec.styles
    )
    return {
        "value": f'<div role="group" aria-label="{html.escape(text.STYLES)}">{buttons}</div>',
        "visible": bool(spec.styles),
    }


def toggled(prompt: str, style: str) -> str:
    """Return the prompt with a style's words at its end, or without them where it had them."""
    parts = [part.strip() for part in prompt.split(",")]
    kept = [part for part in parts if part and part.casefold() != style.casefold()]
    return ", ".join(kept if len(kept) < len([part for part in parts if part]) else [*kept, style])
