"""A gradio page with two buttons and the script of our head, for tests that take its server away.

python -m tests.support.gradio_page PORT
"""

from __future__ import annotations

import sys
import time

import gradio as gr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ui.web_files import WebFiles


def page() -> gr.Blocks:
    """Return the page: what is written comes back in capitals, by the queue and without it."""
    with gr.Blocks() as demo:
        written = gr.Textbox(elem_id="written", label="Written")
        answer = gr.Textbox(elem_id="answer", label="Answer")
        for queue, name in ((True, "queued"), (False, "direct")):
            button = gr.Button(name, elem_id=name)
            button.click(capitals, written, answer, queue=queue, show_progress="hidden")
    return demo


def capitals(text: str) -> str:
    """Return a text in capitals; one that says so takes its time."""
    time.sleep(60 if text.startswith("slow") else 0)
    return text.upper()


def serve(port: int) -> None:
    """Serve it until the process is killed."""

    async def health(_: Request) -> Response:
        return PlainTextResponse("ok")

    files = WebFiles()
    routes = [Route("/healthz", health), *files.routes()]
    page().launch(
        server_port=port, head=files.reconnect("all"), app_kwargs={"routes": routes}, quiet=True, _frontend=False
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
