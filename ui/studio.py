"""The page: what is where.

The form is gradio's; everything else is drawn by the modules of `ui/web` into the places that are laid out here. The
two halves meet in the browser alone: each change of the form is handed to the modules (`srpo.form`), and they set the
form by the event `apply_recipe`. No handler runs on the server but `/edit` and `/experiment`, and Run where the
visitor's quota of GPU time comes with gradio's requests alone.
"""

from __future__ import annotations

import html
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from core.job import Visitor
from core.messages import say
from core.spec import BackendSpec
from engine.services import Services
from ui.controls import Controls
from ui.edit_api import add_edit_endpoint
from ui.examples import EXAMPLES, SHEET, Example, sheet_styles
from ui.experiment_api import add_experiment_endpoint
from ui.ownership import visitor_of
from ui.web_files import API_EXAMPLES, WebFiles

FetchImage = Callable[[str], Awaitable[bytes]]
Submit = Callable[[Visitor, Any], Awaitable[None]]
"""Begins a visitor's job from an event's data: see `api.studio.jobs.Jobs.submit_event`."""

IN_VIEW = ("strength", "guidance_scale")
"""Parameters that stay in view; the seed has a row of its own, the number of images stands at Run."""
ON_LOAD = (
    "import(new URL(element.querySelector('#workbench').dataset.main, document.baseURI))"
    ".then((main) => main.start(element.querySelector('#workbench'), (name, data) => trigger(name, data)));"
    " /* 'apply_recipe' 'submit' */"
)
"""Gradio knows an event by its name in quotes alone."""


@dataclass(frozen=True)
class Form:
    """The form's parts, in the order in which their values are handed over."""

    backend: gr.Dropdown
    prompt: gr.Textbox
    lock: gr.Checkbox
    controls: Controls
    dice: gr.Button
    run: gr.Button
    cancel: gr.Button

    @property
    def fields(self) -> dict[str, Component]:
        """What holds a value, by the name that the modules know it by."""
        return {"backend": self.backend, "prompt": self.prompt, "lock": self.lock, **self.controls.parts}


def build(
    services: Services, fetch_image: FetchImage, web: WebFiles, submit: Submit | None = None, *, sign_in: bool = False
) -> gr.Blocks:
    """Return the app's page.

    Args:
        services: do the work; the engine's backends are offered in its order.
        fetch_image: reads a public image address into bytes, or raises a StudioError; for `/edit` and `/experiment`.
        web: the page's modules.
        submit: begins a job by an event of gradio's; None where the page asks by itself, everywhere but on ZeroGPU.
        sign_in: whether visitors may sign in with their account at Hugging Face; only on a Space.
    """
    with gr.Blocks(title=say("ui-title"), analytics_enabled=False, fill_width=True) as demo:
        specs = services.engine.specs
        with gr.Row(elem_id="top"):
            backend = _top(specs)
            if sign_in:
                gr.LoginButton(
                    say("ui-sign-in"), say("ui-sign-out", name="{}"), size="sm", elem_id="sign-in", min_width=90
                )
        with gr.Row(elem_id="studio", equal_height=False):
            with gr.Column(elem_id="left", scale=0, min_width=280):
                form = _form(specs, backend)
            with gr.Column(elem_id="right", scale=1, min_width=280):
                mount = _workbench(form, web, next(iter(specs.values())), by_event=submit is not None)
                _place("experiments")
                _place("pictures")  # an element with the address's own name would be scrolled to, and take the focus
                _place("comparison")
        examples = f'data-src="{html.escape(web.address(API_EXAMPLES))}" data-lost="{say("page-not-fetched")}"'
        gr.HTML(html_template=f"<div {examples}></div>", elem_id="api", apply_default_css=False)
        _wire(form, mount, submit)
        add_edit_endpoint(services, fetch_image)
        add_experiment_endpoint(services, fetch_image)
    return demo


def _top(specs: dict[str, BackendSpec]) -> gr.Dropdown:
    gr.HTML(f"<h1>{say('ui-title')}</h1>", elem_id="brand")
    backend = gr.Dropdown(
        [(str(spec.label), key) for key, spec in specs.items()],
        value=next(iter(specs)),
        label=say("ui-backend"),
        container=False,
        elem_id="backend",
        filterable=False,
    )
    _place("status")
    gr.HTML(_corner(), elem_id="corner")
    return backend


def _form(specs: dict[str, BackendSpec], backend: gr.Dropdown) -> Form:
    first = next(iter(specs))
    controls = Controls(specs)
    names = controls.names()
    at_run = {"num_images"} & set(names)
    _place("reference")
    prompt = gr.Textbox(
        label=say("ui-prompt"), placeholder=say("ui-prompt-placeholder"), lines=3, max_lines=6, elem_id="prompt"
    )
    _place("styles")
    controls.place(first, [name for name in names if name in IN_VIEW])
    with gr.Row(elem_id="seed-row"):
        controls.place(first, [name for name in names if name == "seed"])
        lock = gr.Checkbox(label=say("ui-seed-lock"), value=False, container=False, elem_id="seed-lock")
        dice = gr.Button(say("ui-seed-dice"), size="sm", elem_id="seed-dice", min_width=60)
    with gr.Accordion(say("ui-more"), open=False, elem_id="more"):
        controls.place(first, [name for name in names if name not in {*IN_VIEW, "seed", *at_run}])
    with gr.Column(elem_id="go"):
        _place("preflight")
        controls.place(first, sorted(at_run))
        with gr.Row():
            run = gr.Button(say("ui-run"), variant="primary", elem_id="run", scale=3)
            cancel = gr.Button(say("ui-cancel"), elem_id="cancel", interactive=False, scale=1, min_width=80)
    return Form(backend, prompt, lock, controls, dice, run, cancel)


def _place(name: str) -> None:
    """Lay out a place that the modules draw into. Its template is constant, so that gradio never draws over theirs."""
    gr.HTML(html_template=f'<div id="{name}-place"></div>', elem_id=name, apply_default_css=False)


def _workbench(form: Form, web: WebFiles, first: BackendSpec, *, by_event: bool) -> gr.HTML:
    facts = {
        "main": web.address("main.js"),
        "fields": json.dumps([*form.fields]),
        "by-event": json.dumps(by_event),
        "examples": json.dumps([_example(each) for each in EXAMPLES]),
        "sheet": json.dumps(_sheet(first)),
    }
    data = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in facts.items())
    return gr.HTML(
        html_template=f'<div id="workbench" {data}><section class="stage" data-state="starting"></section></div>',
        js_on_load=ON_LOAD,
        apply_default_css=False,
        elem_id="stage",
    )


def _sheet(first: BackendSpec) -> dict[str, Any]:
    """Return what the sheet of styles shows at once: all of it where the first backend knows those styles."""
    known = {style.id for style in first.styles}
    styles = [{"id": name, "label": label} for name, label in sheet_styles().items()]
    return {"file": f"examples/{SHEET}", "styles": styles, "known": bool(known & sheet_styles().keys())}


def _example(example: Example) -> dict[str, Any]:
    return {
        "title": example.title.as_json(),
        "prompt": example.prompt,
        "style": example.style,
        "settings": example.settings,
        **{name: f"examples/{getattr(example, name)}" for name in ("file", "before", "after")},
    }


def _wire(form: Form, mount: gr.HTML, submit: Submit | None) -> None:
    """Join the form to the modules, in the browser."""
    fields = [*form.fields.values()]
    names = json.dumps([*form.fields])
    values = f"Object.fromEntries({names}.map((name, at) => [name, values[at]]))"
    # `multiple`: what comes while another is on its way is no less meant.
    quiet: dict[str, Any] = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "queue": False,
        "trigger_mode": "multiple",
    }
    for name, field in form.fields.items():
        # By hand alone: what the modules set is no news. Its own value alone: the others' may be older by now.
        hand_over = f"(value) => {{ window.srpo?.form({{ {json.dumps(name)}: value }}); return []; }}"
        field.input(None, field, None, js=hand_over, **quiet)
    form.run.click(None, fields, None, js=f"(...values) => {{ window.srpo?.run({values}); return []; }}", **quiet)
    for button, name in ((form.cancel, "cancel"), (form.dice, "roll")):
        button.click(None, None, None, js=f"() => {{ window.srpo?.{name}(); return []; }}", **quiet)
    mount.apply_recipe(None, None, [*fields, form.run, form.cancel], js="() => window.srpo.updates()", **quiet)
    if submit is not None:

        async def begin(event: gr.EventData, request: gr.Request) -> None:
            await submit(visitor_of(request), event._data)

        queued = {**quiet, "queue": True, "concurrency_limit": None}
        # Whatever came of it, the page then asks for the job by the same key.
        mount.submit(begin, None, None, **queued).then(None, None, None, js="() => { window.srpo.begun(); return []; }")


def _corner() -> str:
    """Return the tabs, and the help and theme switches. What they do stands in `ui/web/chrome.js`."""
    return (
        '<span role="tablist">'
        '<button type="button" role="tab" id="studio-tab" aria-controls="studio" aria-selected="true">'
        f"<kbd>1</kbd> {say('ui-studio-tab')}</button>"
        '<button type="button" role="tab" id="explore-tab" aria-controls="experiments" aria-selected="false"'
        f' tabindex="-1"><kbd>2</kbd> {say("ui-explore-tab")}</button>'
        '<button type="button" role="tab" id="library-tab" aria-controls="pictures" aria-selected="false"'
        f' tabindex="-1"><kbd>3</kbd> {say("ui-library-tab")} <span></span></button>'
        '<button type="button" role="tab" id="compare-tab" aria-controls="comparison" aria-selected="false"'
        f' tabindex="-1"><kbd>4</kbd> {say("ui-compare-tab")} <span></span></button>'
        '<button type="button" role="tab" id="api-tab" aria-controls="api" aria-selected="false" tabindex="-1">'
        f"{say('ui-api')}</button></span>"
        f'<button type="button" id="help-button" aria-haspopup="dialog">{say("ui-help")}</button>'
        f'<button type="button" id="theme-button"><span class="to-dark">{html.escape(say("ui-theme-dark"))}</span>'
        f'<span class="to-light">{html.escape(say("ui-theme-light"))}</span></button>'
        f'<dialog id="help"><h2>{say("ui-help")}</h2>{_help()}'
        f'<label><input type="checkbox" id="single-keys" checked> {say("ui-single-keys")}</label>'
        f'<form method="dialog"><button>{say("ui-close")}</button></form></dialog>'
    )


def _help() -> str:
    """Return the list of the help dialog."""
    parts = ("strength", "guidance", "seed", "run", "keys")
    return "<ul>" + "".join(f"<li>{say(f'ui-help-{part}')}</li>" for part in parts) + "</ul>"
