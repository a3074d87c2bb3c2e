"""Simulated hardware, and the sizes of FLUX.1-dev: what tests of the memory ladder share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from backends.local.hardware import GIB, Hardware
from backends.local.memory_plan import Sizes

TRANSFORMER = 11_901_408_320
LARGE = 8_606_711_808
MODULATION = 3_227_516_928
"""Weights of FLUX.1-dev's transformer, and those of its blocks' large matrices and modulation among them."""
T5 = 4_762_310_656
CLIP = 123_060_480
VAE = 83_819_683
"""Weights of its other parts."""

FLUX = Sizes(
    transformer=2 * TRANSFORMER,
    transformer8=2 * TRANSFORMER - LARGE,
    smallest8=2 * TRANSFORMER - LARGE - MODULATION,
    text=2 * (T5 + CLIP),
    text_part=2 * T5,
    vae=2 * VAE,
)
"""In bfloat16."""
GGUF_FILE = 6_800_000_000
GGUF = Sizes(GGUF_FILE, GGUF_FILE, GGUF_FILE, FLUX.text, FLUX.text_part, FLUX.vae, quantised=True)
"""With a transformer of about four bits a weight."""


@dataclass(frozen=True)
class Card(Hardware):
    """A CUDA card as the ladder sees it, whose work is done by the CPU."""

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def asynchronous(self) -> bool:
        return False


def cuda(free: float, memory: float = 64.0, **facts: Any) -> Hardware:
    """Return a CUDA card with torchao; `free` and `memory` in GiB, `facts` override its facts."""
    return Hardware("cuda", int(free * GIB), int(memory * GIB), **{"quantises": True, **facts})


def card(free: float = 100.0, memory: float = 100.0, **facts: Any) -> Card:
    """Return a card that can really be run on; `free` and `memory` in GiB."""
    return Card("cuda", int(free * GIB), int(memory * GIB), **facts)
