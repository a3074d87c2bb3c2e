"""The studio page: what is where. What happens on a click stands in `ui/actions.py`."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from core.messages import say
from core.spec import BackendSpec
from engine.engine import Engine
from ui import text
from ui.actions import Actions
from ui.api_tab import api_tab
from ui.controls import Controls
from ui.edit_api import add_edit_endpoint
from ui.reference import reference_input
from ui.session import Session
from ui.stage import stage
from ui.styles import style_chips

FetchImage = Callable[[str], Awaitable[bytes]]

IN_VIEW = ("strength", "guidance_scale")
"""Parameters that stay beside the result; the seed has a row of its own, all others live under "More"."""


@dataclass(frozen=True)
class KeyBox:
    """Where a visitor pastes a provider's key."""

    row: gr.Row
    box: gr.Textbox
    check: gr.Button
    note: gr.HTML


@dataclass(frozen=True)
class Page:
    """The page's parts that events join."""

    backend: gr.Dropdown
    status: gr.HTML
    key: KeyBox
    image: gr.Image
    address: gr.Textbox
    prompt: gr.Textbox
    styles: gr.HTML
    lock: gr.Checkbox
    dice: gr.Button
    controls: Controls
    preflight: gr.HTML
    run: gr.Button
    cancel: gr.Button
    stage: gr.HTML
    session: gr.State

    @property
    def params(self) -> list[Component]:
        """The parameters' components, in the order of their names."""
        return list(self.controls.parts.values())


def build(engine: Engine, fetch_image: FetchImage, sign_in: bool = False) -> gr.Blocks:
    """Return the app's page, wired to an engine.

    Args:
        engine: whose backends are offered, in its order.
        fetch_image: reads a public image address into bytes, or raises a StudioError.
        sign_in: whether visitors may sign in with their account at Hugging Face; only on a Space.
    """
    with gr.Blocks(title=say("ui-title"), analytics_enabled=False, fill_width=True) as demo:
        page = _lay_out(engine, sign_in)
        _wire(demo, page, Actions(engine, fetch_image, page.controls))
        add_edit_endpoint(demo, engine, fetch_image)
    return demo


def _lay_out(engine: Engine, sign_in: bool) -> Page:
    specs = engine.specs
    controls = Controls.of(specs)
    with gr.Row(elem_id="top"):
        backend, status = _top(specs)
        if sign_in:
            gr.LoginButton(say("ui-sign-in"), say("ui-sign-out", name="{}"), size="sm", elem_id="sign-in", min_width=90)
    key = _key_box(next(iter(specs.values())))
    with gr.Row(elem_id="desk", equal_height=False):
        with gr.Column(elem_id="left", scale=0, min_width=320):
            image, address, prompt = _inputs()
            styles = style_chips(specs[next(iter(specs))])
            lock, dice = _settings(controls, next(iter(specs)))
            preflight, run, cancel = _go()
        with gr.Column(elem_id="right", scale=1, min_width=320):
            canvas = stage(Session().view())
    api_tab()
    session = gr.State(Session(), time_to_live=86_400)
    return Page(
        backend,
        status,
        key,
        image,
        address,
        prompt,
        styles,
        lock,
        dice,
        controls,
        preflight,
        run,
        cancel,
        canvas,
        session,
    )


def _top(specs: dict[str, BackendSpec]) -> tuple[gr.Dropdown, gr.HTML]:
    gr.HTML(f"<h1>{say('ui-title')}</h1>", elem_id="brand")
    backend = gr.Dropdown(
        [(str(spec.label), key) for key, spec in specs.items()],
        value=next(iter(specs)),
        label=say("ui-backend"),
        container=False,
        elem_id="backend",
        filterable=False,
    )
    status = gr.HTML(elem_id="status")
    gr.HTML(_corner(), elem_id="corner")
    return backend, status


def _key_box(first: BackendSpec) -> KeyBox:
    """Lay out the key's row; shown only for a backend that takes one."""
    with gr.Row(elem_id="key-row", visible=first.key_env is not None) as row:
        box = gr.Textbox(
            label=say("ui-key"),
            placeholder=say("ui-key-placeholder"),
            type="password",
            container=False,
            show_label=False,
            max_lines=1,
            elem_id="key",
        )
        check = gr.Button(say("ui-key-check"), size="sm", elem_id="key-check", min_width=60)
        note = gr.HTML(elem_id="key-note")
    return KeyBox(row, box, check, note)


def _inputs() -> tuple[gr.Image, gr.Textbox, gr.Textbox]:
    image = reference_input()
    address = gr.Textbox(
        label=say("ui-reference-url"),
        placeholder=say("ui-reference-url-placeholder"),
        container=False,
        show_label=False,
        max_lines=1,
        elem_id="address",
    )
    prompt = gr.Textbox(
        label=say("ui-prompt"), placeholder=say("ui-prompt-placeholder"), lines=2, max_lines=6, elem_id="prompt"
    )
    return image, address, prompt


def _settings(controls: Controls, first: str) -> tuple[gr.Checkbox, gr.Button]:
    names = controls.names()
    controls.place(first, [name for name in names if name in IN_VIEW])
    with gr.Row(elem_id="seed-row"):
        controls.place(first, [name for name in names if name == "seed"])
        lock = gr.Checkbox(label=say("ui-seed-lock"), value=False, container=False, elem_id="seed-lock")
        dice = gr.Button(say("ui-seed-dice"), size="sm", elem_id="seed-dice", min_width=60)
    with gr.Accordion(say("ui-more"), open=False, elem_id="more"):
        controls.place(first, [name for name in names if name not in (*IN_VIEW, "seed")])
    return lock, dice


def _go() -> tuple[gr.HTML, gr.Button, gr.Button]:
    with gr.Column(elem_id="go"):
        preflight = gr.HTML(elem_id="preflight")
        with gr.Row():
            run = gr.Button(f"{say('ui-run')} · {say('ui-run-keys')}", variant="primary", elem_id="run", scale=3)
            cancel = gr.Button(say("ui-cancel"), elem_id="cancel", interactive=False, scale=1, min_width=80)
    return preflight, run, cancel


def _corner() -> str:
    """Return the tabs, and the help and theme switches. What they do stands in `assets/page.js`."""
    return (
        '<span role="tablist">'
        '<button type="button" role="tab" id="studio-tab" aria-controls="desk" aria-selected="true">'
        f"{say('ui-studio-tab')}</button>"
        '<button type="button" role="tab" id="api-tab" aria-controls="api" aria-selected="false">'
        f"{say('ui-api')}</button></span>"
        f'<button type="button" id="help-button" aria-haspopup="dialog">{say("ui-help")}</button>'
        f'<button type="button" id="theme-button"><span class="to-dark">{html.escape(say("ui-theme-dark"))}</span>'
        f'<span class="to-light">{html.escape(say("ui-theme-light"))}</span></button>'
        f'<dialog id="help"><h2>{say("ui-help")}</h2>{text.help_html()}'
        f'<form method="dialog"><button>{say("ui-close")}</button></form></dialog>'
    )


def _wire(demo: gr.Blocks, page: Page, act: Actions) -> None:
    """Join each event to its action. All are private: the API page shows `/edit` alone.

    Values come as the browser sends them: `core` checks them, with better words than gradio's, and a
    slider's value may be on its way while its range changes.
    """
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False}
    quick = {**quiet, "queue": False}
    params = page.params
    forecast = {"fn": act.forecast, "inputs": [page.session, page.backend, *params], "outputs": [page.preflight]}
    rejoin = {
        "fn": act.rejoin,
        "inputs": [page.session, page.backend],
        "outputs": [page.stage, page.status, page.cancel],
        "concurrency_limit": None,
        **quiet,
    }
    # Decoders have a fair queue of their own: behind the framework's, one visitor's pictures would hold up all others'.
    reading = {**quiet, "concurrency_limit": None}
    settings = [page.image, page.prompt, page.lock, *params]

    demo.load(
        act.greet, [page.session, page.backend], [page.status, page.preflight, page.controls.parts["seed"]], **quick
    ).then(**rejoin)
    page.image.change(act.show_reference, [page.session, page.image], [page.stage, page.image], **reading).then(
        **forecast, **quick
    )
    page.address.submit(act.fetch, [page.session, page.address], [page.image, page.address, page.stage], **reading)
    for component in params:
        component.change(**forecast, **quick, trigger_mode="always_last")
    # Queued, since only then gr.Info reaches the page. By the person's hand only: `reuse` brings its own values.
    key_box = [page.key.row, page.key.box, page.key.note]
    page.backend.select(
        act.switch, [page.session, page.backend, *params], [page.status, page.styles, *key_box, *params], **quiet
    ).then(**forecast, **quick)
    page.styles.pick(act.style, [page.session, page.backend], None, **quick)
    for given in (page.key.check.click, page.key.box.submit):
        given(act.check, [page.session, page.backend, page.key.box], [page.status, *key_box], **quiet).then(**rejoin)
    page.dice.click(act.roll, [page.backend], [page.controls.parts["seed"], page.lock], **quick)

    page.run.click(
        act.run,
        [page.session, page.backend, page.image, page.prompt, page.lock, *params],
        [page.stage, page.status, page.cancel, page.controls.parts["seed"]],
        **quiet,
        trigger_mode="multiple",
        concurrency_limit=None,
    ).then(**forecast, **quick)
    page.cancel.click(act.cancel, [page.session], [page.stage], **quiet, concurrency_limit=None)
    page.stage.example(act.example, [page.session, page.backend], [page.styles, *settings], **quiet)
    page.stage.use_reference(act.use_as_reference, [page.session], [page.image], **reading)
    page.stage.reuse_settings(
        act.reuse, [page.session], [page.backend, page.status, page.styles, *key_box, *settings], **reading
    )
