"""Which model on which device: decided from the settings and the hardware, without importing torch."""

from __future__ import annotations

import ctypes
import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from core.secrets import revealed
from core.settings import SRPO_BASE, SRPO_TRANSFORMER, Settings

MINI = "mini"
"""What STUDIO_LOCAL_MODEL says to ask for the mini checkpoint by name."""
MINI_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "mini"
"""The mini checkpoint, which comes with the app; its README says what it is and how it was made."""


@dataclass(frozen=True)
class ModelChoice:
    """What to load.

    Attributes:
        base: a directory or hub repository in the diffusers layout; None is the mini checkpoint.
        transformer: what replaces the base's transformer (a directory, a `.safetensors` file, a hub
            repository or a file in one); None keeps the base's own.
        device: `cpu`, `cuda` or `mps`.
        token: the hub token, None where there is none.
        memory: the rung of the memory ladder that the owner wants, `auto` for the best that fits.
        copies: where a float32 transformer is kept in bfloat16; None keeps none.
        fixed: whether this is a ZeroGPU Space.
    """

    base: str | None
    transformer: str | None
    device: str
    token: str | None
    memory: str = "auto"
    copies: Path | None = None
    fixed: bool = False

    @property
    def is_mini(self) -> bool:
        """Whether this is the mini checkpoint."""
        return self.base is None

    @property
    def name(self) -> str:
        """The model's name for people; of a local path only the last part: the rest is private."""
        if self.base is None:
            return "mini"
        if self.base == SRPO_BASE and self.transformer == SRPO_TRANSFORMER:
            return "FLUX SRPO"
        return Path(self.base).name

    @property
    def id(self) -> str:
        """The model's id in recipes: what replaces the base's transformer stands behind a plus sign."""
        if self.base is None:
            return MINI
        return "+".join(_hub_name(each) for each in (self.base, self.transformer) if each is not None)


def _hub_name(name: str) -> str:
    """Return a hub repository's name; of a local path only the last part: the rest is private."""
    return Path(name).name if is_path(name) or Path(name).expanduser().exists() else name


def is_path(name: str) -> bool:
    """Return whether a setting can only mean a path; `owner/name` and `owner/name/file` are the hub's."""
    return name.startswith(("/", ".", "~")) or "\\" in name or name.count("/") == 0


def choose(settings: Settings, has_cuda: bool) -> ModelChoice:
    """Return what the owner configured, else FLUX SRPO where there is a CUDA device, else mini.

    Args:
        settings: the owner's choices. FLUX.1-dev without a transformer setting takes SRPO's.
        has_cuda: whether a CUDA device can be used.
    """
    base, transformer, device = settings.local_model, settings.local_transformer, settings.local_device
    if base is None and (transformer is not None or (has_cuda and device in ("auto", "cuda"))):
        base = SRPO_BASE
    if base == MINI:
        base, transformer = None, None
    if base == SRPO_BASE and transformer is None:
        transformer = SRPO_TRANSFORMER
    if device == "auto":
        device = "cpu" if base is None else "cuda" if has_cuda else "mps" if _is_apple_silicon() else "cpu"
    return ModelChoice(
        base,
        transformer,
        device,
        revealed(settings.hf_token),
        settings.local_memory,
        settings.data_dir / "models",
        settings.zero_gpu,
    )


def _is_apple_silicon() -> bool:
    return sys.platform == "darwin" and platform.machine() == "arm64"


def cuda_devices() -> int:
    """Return how many CUDA devices torch would find, asked of the driver, since importing torch takes seconds."""
    if sys.platform == "darwin" or version("torch").endswith("+cpu"):
        return 0
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
