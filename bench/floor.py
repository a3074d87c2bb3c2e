"""The least time that a step can take: its operations, counted on the meta device, over the card's rate."""

from __future__ import annotations

from dataclasses import dataclass

TEXT = 512
"""Tokens of a prompt."""


@dataclass(frozen=True)
class JobRunner:
    """Operations of one step, in TFLOP (a multiplication and an addition are two)."""

    tokens: int
    linear: float
    attention: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.linear + self.attention


def count(width: int, height: int) -> JobRunner:
    """Return the work of one step of FLUX.1's transformer for a picture of this size in pixels."""
    import torch
    from diffusers import FluxTransformer2DModel
    from torch.utils.flop_counter import FlopCounterMode

    image = (width // 16) * (height // 16)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        FluxTransformer2DModel(guidance_embeds=True)(
            hidden_states=torch.empty(1, image, 64),
            encoder_hidden_states=torch.empty(1, TEXT, 4096),
            pooled_projections=torch.empty(1, 768),
            timestep=torch.empty(1),
            guidance=torch.empty(1),
            img_ids=torch.empty(image, 3),
            txt_ids=torch.empty(TEXT, 3),
            return_dict=False,
        )
    counts = {str(name): value / 1e12 for name, value in counter.get_flop_counts()["Global"].items()}
    linear = sum(value for name, value in counts.items() if name in ("aten.addmm", "aten.mm"))
    return JobRunner(image + TEXT, linear, sum(counts.values()) - linear)


def rate(device: str) -> float:
    """Return the TFLOP/s of a large bfloat16 product of random matrices on this card, the median of ten."""
    import statistics

    import torch

    side = 8192
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds: list[float] = []
    for _ in range(13):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call] # torch has no types here
        begin.record()
        a @ b
        end.record()
        end.synchronize()
        seconds.append(begin.elapsed_time(end) / 1000)
    return float(2 * side**3 / statistics.median(seconds[3:]) / 1e12)
