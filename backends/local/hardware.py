"""What the hardware and the install can do, read once when a model is loaded. Plain data: tests make their own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib.util import find_spec

import psutil

GIB = 2**30

FP8_CAPABILITY = (8, 9)
"""Ada and newer multiply 8-bit floats; older cards only keep weights in them."""
CUDNN_CAPABILITY = (9, 0)
"""Hopper and newer: there cuDNN's attention is the fastest that needs no further package."""


@dataclass(frozen=True)
class Hardware:
    """A device and what comes with it.

    Attributes:
        kind: `cuda`, `mps` or `cpu`.
        free: bytes of the device's memory that nobody uses. Apple GPUs and CPUs share `memory`.
        memory: bytes of main memory that are available.
        name: the card's own name, empty where it has none.
        index: of several CUDA devices.
        capability: a CUDA device's compute capability, (0, 0) elsewhere.
        compiles: whether `torch.compile` finds what it needs.
        quantises: whether torchao is there.
        flash3: whether the package of FlashAttention 3 is there.
        fixed: ZeroGPU: everything is placed on the card at start, and nothing is compiled.
    """

    kind: str
    free: int
    memory: int
    name: str = ""
    index: int = 0
    capability: tuple[int, int] = (0, 0)
    compiles: bool = False
    quantises: bool = False
    flash3: bool = False
    fixed: bool = False

    @property
    def device(self) -> str:
        """The device in torch's words."""
        return f"cuda:{self.index}" if self.kind == "cuda" else self.kind

    @property
    def asynchronous(self) -> bool:
        """Whether it executes asynchronously, from a queue of its own, as CUDA does."""
        return self.kind == "cuda"

    @property
    def multiplies_fp8(self) -> bool:
        """Whether 8-bit floats are faster here, and not only smaller."""
        return self.quantises and self.capability >= FP8_CAPABILITY

    @property
    def attention(self) -> tuple[str, ...]:
        """Diffusers' names of the exact attentions that are faster here than torch's own choice, the best first."""
        flash = ("_flash_3",) if self.flash3 and self.capability[0] == 9 else ()
        return (*flash, "_native_cudnn") if self.capability >= CUDNN_CAPABILITY else flash


def look(kind: str, index: int = 0, *, fixed: bool = False) -> Hardware:
    """Return what is there now.

    Args:
        kind: `cuda`, `mps` or `cpu`; usable, as was checked before.
        index: of several CUDA devices.
        fixed: whether this is a ZeroGPU Space.
    """
    import torch

    memory = psutil.virtual_memory().available
    quantises = find_spec("torchao") is not None
    if kind != "cuda":
        return Hardware(kind, memory, memory, quantises=quantises)
    free, total = torch.cuda.mem_get_info(index)
    return Hardware(
        kind,
        total if fixed else free,  # of a ZeroGPU only the size is known at start
        memory,
        torch.cuda.get_device_name(index),
        index,
        torch.cuda.get_device_capability(index),
        # Triton writes a small C program for each kernel.
        compiles=not fixed and find_spec("triton") is not None and any(map(shutil.which, ("cc", "gcc", "clang"))),
        flash3=find_spec("flash_attn_interface") is not None,
        quantises=quantises,
        fixed=fixed,
    )
