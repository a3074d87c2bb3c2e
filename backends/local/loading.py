"""From a choice of model to a pipeline that is ready to run: find or download, load part by part, place on the device.

Files are looked for by huggingface_hub first and loaded from disk afterwards, so that a hub's refusal
arrives as its own type of error and not wrapped in another's. Only safetensors are read: no pickles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.local.choice import ModelChoice
from backends.local.files import WEIGHTS, find
from backends.local.preview import Floats, fit_rgb
from backends.local.trouble import explained
from core.errors import BackendUnavailable, ModelMissing
from core.events import Loading

if TYPE_CHECKING:
    import torch

Tell = Callable[[Loading], None]

ROOM_TO_WORK = 4 * 2**30
"""Bytes of GPU memory that a run needs beside the weights: activations and the decoder at 2 megapixels."""

STAGES = (
    "starting torch",
    "finding the files",
    "text encoders",
    "transformer",
    "image encoder and decoder",
    "moving to the device",
)


@dataclass(frozen=True)
class Model:
    """A pipeline on its device.

    Attributes:
        pipe: a FluxImg2ImgPipeline; not safe for two runs at once.
        rgb: what `fit_rgb` found for its VAE.
        offloaded: whether parts wait in main memory, because the GPU cannot hold them all.
    """

    pipe: Any
    rgb: Floats
    offloaded: bool = False


def load(choice: ModelChoice, tell: Tell) -> Model:
    """Load a model; takes a second for mini, minutes for FLUX.

    Args:
        choice: what to load, and where to.
        tell: is told each stage, and may raise to stop in between.

    Raises:
        ModelMissing: the files are not there, broken or of another kind.
        ModelGated: the hub wants a licence accepted or a token.
        OutOfMemory: main memory or the GPU is too small.
        BackendUnavailable: the hub or the device does not answer.
    """

    def stage(number: int, detail: str = "") -> None:
        tell(Loading(f"{STAGES[number]}{detail}", number, len(STAGES)))

    stage(0)
    torch, diffusers, transformers = _libraries()
    with explained(choice):
        _check_device(choice, torch)
        # FLUX's weights are bfloat16. Mini is so small that float32 costs nothing, and a CPU multiplies it fastest.
        dtype = torch.float32 if choice.is_mini else torch.bfloat16
        stage(1)
        base, transformer = find(choice, lambda detail: stage(1, detail))
        common: dict[str, Any] = {"dtype": dtype, "use_safetensors": True}
        stage(2)
        clip = transformers.CLIPTextModel.from_pretrained(base / "text_encoder", **common)
        t5 = transformers.T5EncoderModel.from_pretrained(base / "text_encoder_2", **common)
        stage(3)
        flow = load_transformer(base, transformer, dtype)
        stage(4)
        vae = diffusers.AutoencoderKL.from_pretrained(base / "vae", **common)
        pipe = diffusers.FluxImg2ImgPipeline.from_pretrained(
            base, text_encoder=clip, text_encoder_2=t5, transformer=flow, vae=vae, **common
        )
        pipe.set_progress_bar_config(disable=True)
        stage(5)
        rgb = fit_rgb(vae.to(choice.device))
        return Model(pipe, rgb, _place(pipe, choice.device))


def _libraries() -> tuple[Any, Any, Any]:
    """Import torch, diffusers and transformers, which takes seconds, and keep them from writing prompts to the log."""
    import diffusers
    import torch
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()  # a warning of theirs quotes the prompt
        library.utils.logging.disable_progress_bar()
    return torch, diffusers, transformers


def _check_device(choice: ModelChoice, torch: Any) -> None:
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not usable[choice.device]:
        raise BackendUnavailable(
            f"PyTorch cannot use a {choice.device.upper()} device here.",
            "Check the driver, or set STUDIO_LOCAL_DEVICE=cpu.",
        )


def _place(pipe: Any, device: str) -> bool:
    """Put a pipeline on its device; return whether parts of it had to stay in main memory."""
    import torch

    if device == "cuda":
        modules = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
        size = sum(weight.numel() * weight.element_size() for part in modules for weight in part.parameters())
        free, _ = torch.cuda.mem_get_info()
        if size + ROOM_TO_WORK > free:
            pipe.enable_model_cpu_offload()
            return True
    pipe.to(device)
    return False


def load_transformer(base: Path, replacement: Path | None, dtype: torch.dtype) -> Any:
    """Load a FluxTransformer2DModel.

    Args:
        base: the base model's folder; its `transformer/config.json` tells the shape of a single file.
        replacement: None for the base's own, a folder in the diffusers layout, or a `.safetensors`
            file with the weights in diffusers' names, as tencent/SRPO has them.
        dtype: what the weights become while they are read, one by one.

    Raises:
        ModelMissing: weights are missing; diffusers alone would go on with random ones.
    """
    if replacement is None or replacement.is_dir():
        return _read_transformer(replacement or base / "transformer", dtype)
    # `from_single_file` would hold the whole file in memory twice. A folder of links reads it part by
    # part, which matters for SRPO's 47.6 GB of float32.
    with tempfile.TemporaryDirectory() as links:
        (Path(links) / "config.json").symlink_to((base / "transformer" / "config.json").resolve())
        (Path(links) / WEIGHTS).symlink_to(replacement.resolve())
        return _read_transformer(Path(links), dtype)


def _read_transformer(folder: Path, dtype: torch.dtype) -> Any:
    from diffusers import FluxTransformer2DModel

    model, found = FluxTransformer2DModel.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, low_cpu_mem_usage=True, output_loading_info=True
    )
    if found["missing_keys"]:
        raise ModelMissing(
            f"The transformer's file lacks {len(found['missing_keys'])} of its weights, or names them otherwise.",
            "Use a file in the diffusers layout, such as tencent/SRPO's.",
        )
    return model
