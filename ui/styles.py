"""The style chips under the prompt: what a model is known to have learnt, one click away."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from core.messages import say
from core.recipe import StyleUse
from core.spec import BackendSpec


def style_chips(spec: BackendSpec) -> gr.HTML:
    """Return the component; its event, beside those of gradio, is `pick` ({id, on})."""
    return gr.HTML(
        **shown(spec),
        js_on_load=(
            "element.addEventListener('click', (event) => {"
            " const chip = event.target.closest('button'); if (!chip) return;"
            " const on = chip.getAttribute('aria-pressed') !== 'true';"
            " chip.setAttribute('aria-pressed', on); trigger('pick', { id: chip.dataset.id, on });"
            "})"
        ),
        apply_default_css=False,
        elem_id="styles",
    )


def shown(spec: BackendSpec, used: Sequence[StyleUse] = ()) -> dict[str, Any]:
    """Return what the component shows for a backend: a button for each style; hidden where it lists none.

    Args:
        spec: the backend's.
        used: the styles that are on.
    """
    on = {each.id for each in used}
    buttons = "".join(
        f'<button type="button" data-id="{html.escape(style.id)}" title="{html.escape(style.text)}"'
        f' aria-pressed="{str(style.id in on).lower()}">{html.escape(style.label)}</button>'
        for style in spec.styles
    )
    return {
        "value": f'<div role="group" aria-label="{html.escape(say("ui-styles"))}">{buttons}</div>',
        "visible": bool(spec.styles),
    }


def switched(spec: BackendSpec, used: Sequence[StyleUse], style_id: str, *, on: bool) -> tuple[StyleUse, ...]:
    """Return the styles that are on after one of a backend's was switched; another's changes nothing."""
    others = tuple(each for each in used if each.id != style_id)
    style = next((each for each in spec.styles if each.id == style_id), None)
    return (*others, StyleUse(id=style.id, text=style.text)) if on and style is not None else others


def known(spec: BackendSpec, used: Sequence[StyleUse]) -> tuple[StyleUse, ...]:
    """Return those of the styles that a backend has."""
    ids = {each.id for each in spec.styles}
    return tuple(each for each in used if each.id in ids)
