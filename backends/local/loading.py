"""From a choice of model to a pipeline that is ready to run: find or download, load part by part, place on the device.

Files are looked for by huggingface_hub first and loaded from disk afterwards, so that a hub's refusal
arrives as its own type of error and not wrapped in another's. Only safetensors and GGUF are read: no pickles.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends.local.acceleration import speed_up
from backends.local.choice import ModelChoice
from backends.local.files import find
from backends.local.gguf_file import is_gguf
from backends.local.hardware import Hardware, look
from backends.local.load_errors import explained, out_of_memory
from backends.local.memory_plan import Rung, Sizes, below, choose_rung
from backends.local.model import Model, alone
from backends.local.placement import place
from backends.local.preview import fit_rgb
from backends.local.quantise import eight_bits
from backends.local.revision import recorded
from backends.local.weights import bfloat16_copy, load_transformer, weigh
from core.errors import BackendUnavailable
from core.events import Loading
from core.messages import Message, message

log = logging.getLogger(__name__)

Tell = Callable[[Loading], None]
Stage = Callable[..., None]

STAGES = (
    message("stage-torch"),
    message("stage-files"),
    message("stage-transformer"),
    message("stage-text-encoders"),
    message("stage-vae"),
    message("stage-placing"),
)
AFTER_ANOTHER = message("stage-after-another")
"""What is said while another model is being loaded."""


def staged(stage: Message, detail: Message | None) -> Message:
    """Return a stage with what is happening in it."""
    return stage if detail is None else message("stage-detail", stage=stage, detail=detail)


def load(
    choice: ModelChoice,
    tell: Tell,
    *,
    index: int = 0,
    below_rung: Rung | None = None,
    machine: Hardware | None = None,
    offline: bool = False,
) -> Model:
    """Load a model; takes a second for mini, minutes for FLUX.

    Args:
        choice: what to load, and where to.
        tell: hears of each stage, and may raise to stop in between.
        index: which of several CUDA devices.
        below_rung: the rung on which a run was out of memory: a lower one is taken.
        machine: what to take for the hardware; None looks.
        offline: whether only files on this disk count, and nothing is downloaded.

    Raises:
        ModelMissing: the files are not there, broken or of another kind.
        ModelGated: the hub wants a licence accepted or a token.
        OutOfMemory: main memory or the GPU is too small, on every rung.
        BackendUnavailable: the hub or the device does not answer.
    """

    def stage(number: int, detail: Message | None = None) -> None:
        tell(Loading(staged(STAGES[number], detail), number, len(STAGES)))

    stage(0)
    torch = _torch()
    with explained(choice):
        _check_device(choice, torch)
        machine = machine or look(choice.device, index, fixed=choice.fixed)
        if machine.asynchronous and not machine.fixed:
            torch.cuda.set_device(machine.index)  # of this worker's thread: kernels and marks go to the current one
        stage(1)
        base, transformer = find(choice, lambda detail: stage(1, detail), offline=offline)
        identity = recorded(choice, base, transformer)
        # FLUX's weights are bfloat16. Mini is so small that float32 costs nothing, and a CPU multiplies it fastest.
        dtype = torch.float32 if choice.is_mini else torch.bfloat16
        sizes = weigh(base, transformer, dtype.itemsize)
        rung = choose_rung(machine, sizes, choice.memory)
        if below_rung is not None:
            rung = below(below_rung, machine, sizes) or below_rung
        while True:
            try:
                with alone(lambda: stage(1, AFTER_ANOTHER)):
                    if transformer is not None and transformer.is_file() and not is_gguf(transformer) and choice.copies:
                        transformer = bfloat16_copy(base, transformer, choice.copies, lambda words: stage(1, words))
                    return replace(_assemble(base, transformer, dtype, machine, rung, sizes, stage), identity=identity)
            except (RuntimeError, MemoryError) as error:
                lower = below(rung, machine, sizes) if out_of_memory(error) else None
                if lower is None:
                    raise
                log.warning("out of memory while loading on rung %s", rung.key)
                rung = lower
            free_memory()


def _assemble(
    base: Path, transformer: Path | None, dtype: Any, machine: Hardware, rung: Rung, sizes: Sizes, stage: Stage
) -> Model:
    """Load the parts and put them in their places. The transformer comes first: nothing else is as large."""
    import diffusers
    import transformers

    common: dict[str, Any] = {"dtype": dtype, "use_safetensors": True}
    waits = rung.swaps or rung.blocks_stream
    bits = eight_bits(machine, modulation=rung.modulation) if rung.eight_bits and not sizes.quantised else None
    stage(2)
    flow = load_transformer(base, transformer, dtype, "cpu" if waits or machine.fixed else machine.device, bits)
    stage(3)
    clip = transformers.CLIPTextModel.from_pretrained(base / "text_encoder", **common)
    t5 = transformers.T5EncoderModel.from_pretrained(base / "text_encoder_2", **common)
    stage(4)
    vae = diffusers.AutoencoderKL.from_pretrained(base / "vae", **common)
    pipe = diffusers.FluxImg2ImgPipeline.from_pretrained(
        base, text_encoder=clip, text_encoder_2=t5, transformer=flow, vae=vae, **common
    )
    pipe.set_progress_bar_config(disable=True)
    stage(5)
    rgb = fit_rgb(vae if machine.fixed else vae.to(machine.device))  # ZeroGPU has no card to compute on yet
    place(pipe, rung, machine)
    return Model(pipe, rgb, machine, rung, sizes, speed_up(pipe, rung, machine, sizes))


def free_memory() -> None:
    """Give back what a model that is no longer used held."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()
    if torch.cuda.is_available():
        torch.accelerator.memory.empty_host_cache()  # what streamed parts had pinned of main memory


def _torch() -> Any:
    """Import torch, diffusers and transformers, which takes seconds, keep prompts out of their logs; return torch."""
    for name in ("torchao", "torch.utils._pytree"):  # on a machine without CUDA it lists each file it cannot use
        logging.getLogger(name).setLevel(logging.ERROR)

    import diffusers
    import torch
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()  # a warning of theirs quotes the prompt
        library.utils.logging.disable_progress_bar()
    return torch


def _check_device(choice: ModelChoice, torch: Any) -> None:
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not usable[choice.device]:
        raise BackendUnavailable("model-device-unusable", device=choice.device.upper())
