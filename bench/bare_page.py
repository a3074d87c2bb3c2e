"""A bare Gradio app with the components of the page's form and one HTML, to compare the page with."""

from __future__ import annotations

import os

import gradio as gr

from backends import all_backends
from core.settings import Settings
from ui.controls import Controls
from ui.studio import IN_VIEW

IN_PLACE = ("seed", "num_images")
"""Parameters that stand between the others' buttons."""


def greet(prompt: str) -> str:
    """Return HTML that repeats a prompt."""
    return f'<section class="stage">Hello {prompt}</section>'


def page() -> gr.Blocks:
    """Return the app. Its button and its HTML are found as the page's are."""
    specs = {key: each.spec for key, each in all_backends(Settings()).items()}
    first, controls = next(iter(specs)), Controls(specs)
    with gr.Blocks() as demo:
        gr.Dropdown([(str(spec.label), key) for key, spec in specs.items()], label="Backend", filterable=False)
        with gr.Row():
            with gr.Column():
                prompt = gr.Textbox(label="Prompt", lines=3, max_lines=6)
                controls.place(first, IN_VIEW)
                with gr.Row():
                    controls.place(first, ["seed"])
                    gr.Checkbox(label="Keep this seed")
                    gr.Button("Random")
                with gr.Accordion("More", open=False):
                    controls.place(first, [each for each in controls.names() if each not in (*IN_VIEW, *IN_PLACE)])
                controls.place(first, ["num_images"])
                run = gr.Button("Run", variant="primary", elem_id="run")
                gr.Button("Cancel", interactive=False)
            with gr.Column():
                stage = gr.HTML(greet("there"))
        run.click(greet, prompt, stage)
    return demo


if __name__ == "__main__":
    page().launch(server_port=int(os.environ["GRADIO_SERVER_PORT"]), ssr_mode=False, quiet=True)
