"""Puts a loaded pipeline where its rung of the ladder says, with diffusers' own offloading."""

from __future__ import annotations

from typing import Any

from backends.local.hardware import Hardware
from backends.local.memory_plan import Rung


def place(pipe: Any, rung: Rung, machine: Hardware) -> None:
    """Put a pipeline's parts in their places.

    Args:
        pipe: a FluxImg2ImgPipeline; what was loaded onto the device already stays there.
        rung: how.
        machine: where.
    """
    # A batch is decoded one by one: the decoder's memory is what grows fastest, and its speed hardly does.
    pipe.vae.enable_slicing()
    if rung.tiled:
        pipe.vae.enable_tiling()
    if rung.swaps:
        pipe.enable_model_cpu_offload(gpu_id=machine.index, device=machine.kind)
        return
    for part in (pipe.text_encoder, pipe.text_encoder_2):
        if rung.text_streams:
            _stream(part, machine, "leaf_level")
        else:
            part.to(machine.device)
    if rung.blocks_stream:
        _stream(pipe.transformer, machine, "block_level")
    else:
        pipe.transformer.to(machine.device)
    pipe.vae.to(machine.device)


def _stream(part: Any, machine: Hardware, by: str) -> None:
    """Bring a part to the device piece by piece while it runs; on CUDA the next piece comes during this one's work."""
    import torch
    from diffusers.hooks import apply_group_offloading

    # Else each tensor's pinned memory is rounded up to a power of two: half as much again for FLUX.
    torch._C._accelerator_setAllocatorSettings("pinned_max_round_threshold_mb:1")
    apply_group_offloading(
        part,
        onload_device=torch.device(machine.device),
        offload_device=torch.device("cpu"),
        offload_type=by,
        num_blocks_per_group=1 if by == "block_level" else None,
        use_stream=machine.asynchronous,
    )
