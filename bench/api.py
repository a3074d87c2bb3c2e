"""A run through the app's own API over the same pipeline called directly in a process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from bench.serve import ROOT, serve
from bench.table import Row

EXAMPLE = ROOT / "assets" / "examples" / "still-life.jpg"
PROMPT = "an oil painting"
SETTINGS: dict[str, Any] = {"strength": 0.6, "num_inference_steps": 50, "guidance_scale": 3.5, "seed": 7}
ROUNDS = 7


def measure() -> list[Row]:
    """Take turns between a client of a running app and a process that calls the pipeline; compare the medians."""
    through, direct = [], []
    with tempfile.TemporaryDirectory() as folder, serve(Path(folder), "app.py") as app:
        client = Client(app.url, verbose=False, download_files=folder)
        command = [sys.executable, "-m", "bench.api", folder]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            for each in range(ROUNDS + 1):
                worker.stdin.write("run\n")
                worker.stdin.flush()
                direct.append(float(worker.stdout.readline()))
                begun = time.perf_counter()
                client.predict(handle_file(EXAMPLE), PROMPT, api_name="/edit", **SETTINGS)
                through.append(time.perf_counter() - begun)
                if not each:  # the first run loads the model
                    through.clear()
                    direct.clear()
            worker.stdin.close()
        client.close()
    a, b = statistics.median(through), statistics.median(direct)
    detail = f"{a:.2f} s / {b:.2f} s, medians of {ROUNDS}, 30 of 50 steps of mini"
    return [Row("a run through /edit over the pipeline called directly", a / b, 1.1, "x", detail)]


def run_directly() -> None:
    """For each line on stdin: open the picture, call diffusers' pipeline, save the result; print the seconds.

    None of the app's code but the mini checkpoint and the size that the app works at.
    """
    from diffusers import FluxImg2ImgPipeline
    from PIL import Image
    from torch import Generator

    from backends.local.choice import MINI_FOLDER
    from backends.local.framing import Frame
    from backends.local.model_spec import MINI_SIDE
    from core.imaging.images import working_size

    pipe = FluxImg2ImgPipeline.from_pretrained(MINI_FOLDER)
    pipe.set_progress_bar_config(disable=True)

    def once() -> None:
        reference = Image.open(EXAMPLE).convert("RGB")
        frame = Frame.around(reference, working_size(*reference.size, max_side=MINI_SIDE))
        settings = {name: value for name, value in SETTINGS.items() if name != "seed"}
        result = pipe(
            prompt=PROMPT,
            image=frame.image,
            width=frame.image.width,
            height=frame.image.height,
            generator=Generator().manual_seed(SETTINGS["seed"]),
            max_sequence_length=pipe.tokenizer_2.model_max_length,
            **settings,
        ).images[0]
        frame.cut(result).save(Path(sys.argv[1]) / "direct.png")

    for _ in sys.stdin:
        begun = time.perf_counter()
        once()
        print(json.dumps(time.perf_counter() - begun), flush=True)


if __name__ == "__main__":
    run_directly()
