"""A bare Gradio app of three components, to compare a cold start with."""

import os

import gradio as gr


def greet(name: str) -> str:
    """Return a greeting."""
    return f"Hello {name}"


if __name__ == "__main__":
    with gr.Blocks() as demo:
        name = gr.Textbox()
        greeting = gr.Textbox()
        gr.Button().click(greet, name, greeting)
    demo.launch(server_port=int(os.environ["GRADIO_SERVER_PORT"]), ssr_mode=False, quiet=True)
