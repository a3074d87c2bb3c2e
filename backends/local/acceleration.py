"""The levels of `acceleration`, and the levers behind them.

- `none` is exact: every step is computed with the weights as they lie; only what changes no more than the
  rounding is on (compiled blocks and decoder, the best exact attention, the decoder's memory layout).
- `regular` computes half of the steps, `high` a third (see `step_cache`); both multiply in 8 bits where the
  card can and has room for a second set of matrices.

What a card or an install lacks is left out; the status line says what is on.
"""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Any

from backends.local.hardware import Hardware
from backends.local.memory_plan import Rung, Sizes
from core.messages import Message, message

log = logging.getLogger(__name__)

LEVELS = {"none": Fraction(1), "regular": Fraction(1, 2), "high": Fraction(1, 3)}
"""The share of steps that is computed at each level of `acceleration`."""

GRAPHS = 128
"""Graphs that one kind of block may have: seven for a device at a time, and some for odd sizes."""
ATTENTION = {"_flash_3": message("detail-flash-attention"), "_native_cudnn": message("detail-cudnn-attention")}
COMPILED = message("detail-compiled")


def speed_up(pipe: Any, rung: Rung, machine: Hardware, sizes: Sizes) -> tuple[Message, ...]:
    """Turn on the optimizations that change only the rounding of a picture, and return which are on.

    Args:
        pipe: a FluxImg2ImgPipeline in its place.
        rung: where that is.
        machine: what it runs on.
        sizes: of its parts.
    """
    import torch

    attention = attend(pipe.transformer, machine)
    details = [ATTENTION[attention]] if attention else []
    if machine.asynchronous:
        pipe.vae.to(memory_format=torch.channels_last)
    if compiles(rung, machine, sizes):
        compile_blocks(pipe)
        details.append(COMPILED)
    return tuple(details)


def attend(flow: Any, machine: Hardware) -> str | None:
    """Give a transformer the best attention that works here, and return its name, None for torch's own choice."""
    import torch
    from diffusers.models.attention_dispatch import AttentionBackendName, _AttentionBackendRegistry

    if flow.dtype != torch.bfloat16:  # the others know no float32
        return None
    for name in machine.attention:
        try:
            flow.set_attention_backend(name)
            if not machine.fixed:  # there the card comes later
                _try_attention(flow, name, machine)
        except (RuntimeError, ImportError, ValueError):  # it is there and does not fit this torch or this card
            log.warning("%s does not work here", name, exc_info=True)
            flow.reset_attention_backend()
            continue
        finally:
            # It became every other model's in this process, too: theirs stays torch's own choice.
            _AttentionBackendRegistry.set_active_backend(AttentionBackendName.NATIVE)
        return name
    return None


def _try_attention(flow: Any, name: str, machine: Hardware) -> None:
    """Attend once to next to nothing: whether a kernel fits a card is known only when it runs."""
    import torch
    from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn

    config = flow.config
    shape = 1, 64, config.num_attention_heads, config.attention_head_dim
    query = torch.zeros(shape, dtype=flow.dtype, device=machine.device)
    with torch.inference_mode():
        dispatch_attention_fn(query, query, query, backend=AttentionBackendName(name)).sum().item()


def compiles(rung: Rung, machine: Hardware, sizes: Sizes) -> bool:
    """Return whether blocks are compiled.

    Not where they stream or take turns on the card: they are moved meanwhile. Nor GGUF's: the compiler does not
    understand how they are unpacked.
    """
    return machine.compiles and not (rung.blocks_stream or rung.swaps or sizes.quantised)


def compile_blocks(pipe: Any, backend: str = "inductor") -> None:
    """Compile the transformer's blocks and the decoder; the work is done at their first call.

    Graphs are for any size. There is a set of them for a single image and one for several; in each the single-stream
    block has two, for the first gets its input in another layout.
    """
    compile_flow(pipe.transformer, backend)
    if not pipe.vae.use_tiling:  # tiles lie otherwise in memory: they would be compiled again, in the middle of a run
        pipe.vae.decoder.compile(dynamic=True, backend=backend)


def compile_flow(flow: Any, backend: str = "inductor") -> None:
    """Compile a transformer's blocks."""
    # Graphs are counted for the whole process: each device's and each level's. Past the limit a run would fail.
    flow.compile_repeated_blocks(fullgraph=True, dynamic=True, backend=backend, recompile_limit=GRAPHS)


def run_plain(pipe: Any) -> None:
    """Undo `compile_blocks`."""
    for part in (*pipe.transformer.modules(), pipe.vae.decoder):
        part._compiled_call_impl = None


def warm_up(pipe: Any, width: int, height: int, images: int, tokens: int) -> None:
    """Run two steps on nothing, so that whatever is compiled at a first call is compiled now.

    Args:
        pipe: a FluxImg2ImgPipeline in its place.
        width: pixels, a multiple of 16.
        height: likewise.
        images: of a batch.
        tokens: of a prompt.
    """
    import torch

    config, dtype, device = pipe.transformer.config, pipe.vae.dtype, pipe._execution_device
    blank = {"dtype": dtype, "device": device}
    with torch.inference_mode():
        pipe(
            prompt_embeds=torch.zeros(images, tokens, config.joint_attention_dim, **blank),
            pooled_prompt_embeds=torch.zeros(images, config.pooled_projection_dim, **blank),
            image=torch.zeros(images, pipe.latent_channels, height // 8, width // 8, **blank),
            width=width,
            height=height,
            strength=1.0,
            num_inference_steps=2,
            max_sequence_length=tokens,
            output_type="pt",
        )


def doubles(pipe: Any, rung: Rung, machine: Hardware, sizes: Sizes) -> bool:
    """Return whether `regular` and `high` may have a second set of matrices, in 8 bits, beside the exact one.

    Only where blocks are compiled: to turn activations into 8 bits by one operation after the other takes longer than
    what is saved.
    """
    import torch

    fits = rung.key == "gpu" and machine.multiplies_fp8 and machine.compiles and not machine.fixed
    return fits and not sizes.quantised and pipe.transformer.dtype == torch.bfloat16
