"""From a choice of model to a pipeline that is ready to run: find or download, load part by part, place on the device.

Files are looked for by huggingface_hub first and loaded from disk afterwards, so that a hub's refusal
arrives as its own type of error and not wrapped in another's. Only safetensors are read: no pickles.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.local.choice import ModelChoice
from backends.local.mini import mini_checkpoint
from backends.local.preview import Floats, fit_rgb
from core.errors import BackendUnavailable, ModelGated, ModelMissing, OutOfMemory, StudioError
from core.events import Loading

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

Tell = Callable[[Loading], None]

WEIGHTS = "diffusion_pytorch_model.safetensors"
"""What a hub repository of a single transformer calls its file; tencent/SRPO does."""
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
        # FLUX's weights are bfloat16. Mini's are float32, which a CPU multiplies fastest.
        dtype = torch.float32 if choice.is_mini else torch.bfloat16
        stage(1)
        base, transformer = _find(choice, lambda detail: stage(1, detail))
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


# ---- where the files are -----------------------------------------------------------------------------


def _find(choice: ModelChoice, tell: Callable[[str], None]) -> tuple[Path, Path | None]:
    """Return the base's folder, and the folder or file of the transformer that replaces the base's, if any."""
    if choice.base is None:
        return mini_checkpoint(choice.data_dir), None
    parts = ["model_index.json", "scheduler/*", "text_encoder*/*", "tokenizer*/*", "vae/*"]
    parts.append("transformer/config.json" if choice.transformer else "transformer/*")
    base = _folder(choice.base, parts, choice.token, tell)
    return base, _find_transformer(choice, tell) if choice.transformer else None


def _folder(name: str, parts: list[str], token: str | None, tell: Callable[[str], None]) -> Path:
    """Return a model's folder: the one of that path, or the hub's repository of that name, downloaded."""
    from huggingface_hub import snapshot_download

    path = Path(name).expanduser()
    if path.is_dir():
        return path
    if _is_path(name):
        raise ModelMissing(f"There is no model folder {path.name!r} here.", _SETTINGS)
    return Path(snapshot_download(name, allow_patterns=parts, token=token, tqdm_class=_bar(tell)))


def _find_transformer(choice: ModelChoice, tell: Callable[[str], None]) -> Path:
    """Return the folder or file of the transformer that replaces the base's.

    A setting may name a folder, a `.safetensors` file, a hub repository (its single file, or its
    `transformer` folder) or one file in a repository.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    name = choice.transformer
    assert name is not None
    path = Path(name).expanduser()
    if path.exists():
        return path / "transformer" if (path / "transformer" / "config.json").is_file() else path
    if _is_path(name):
        raise ModelMissing(f"There is no transformer {path.name!r} here.", _SETTINGS)
    tell(", a large download at the first time")
    owner_and_repository, file = "/".join(name.split("/")[:2]), "/".join(name.split("/")[2:])
    try:
        return Path(hf_hub_download(owner_and_repository, file or WEIGHTS, token=choice.token))
    except LocalEntryNotFoundError:
        raise  # the hub cannot be reached: that says nothing of what it has
    except EntryNotFoundError:
        if file:
            raise
        return _folder(name, ["transformer/*"], choice.token, tell) / "transformer"


def _is_path(name: str) -> bool:
    """Return whether a setting can only mean a path; `owner/name` and `owner/name/file` are the hub's."""
    return name.startswith(("/", ".", "~")) or "\\" in name or name.count("/") == 0


def _bar(tell: Callable[[str], None]) -> Any:
    """Return a progress bar class for huggingface_hub that tells how many bytes have come."""
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]  # it has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts_bytes = kwargs.get("unit") == "B"
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": False, "file": _Nowhere()})

        def update(self, n: float | None = 1) -> None:
            super().update(n)
            if self._counts_bytes and self.total:
                tell(f", {self.n / 1e9:.1f} of {self.total / 1e9:.1f} GB")

    return Bar


class _Nowhere:
    """A file that takes a progress bar's drawing and shows it to nobody."""

    def write(self, _: str) -> None: ...

    def flush(self) -> None: ...


# ---- the transformer ---------------------------------------------------------------------------------


def load_transformer(base: Path, replacement: Path | None, dtype: torch.dtype) -> Any:
    """Load a FluxTransformer2DModel.

    Args:
        base: the base model's folder; its `transformer/config.json` tells the shape of a single file.
        replacement: None for the base's own, a folder in the diffusers layout, or a `.safetensors`
            file with the weights in diffusers' names or in Black Forest Labs' own.
        dtype: what the weights become while they are read, one by one.
    """
    from diffusers import FluxTransformer2DModel
    from safetensors import safe_open

    common: dict[str, Any] = {"dtype": dtype, "low_cpu_mem_usage": True}
    if replacement is None or replacement.is_dir():
        folder = replacement or base / "transformer"
        return FluxTransformer2DModel.from_pretrained(folder, use_safetensors=True, **common)
    with safe_open(replacement, framework="pt") as file:
        names: list[str] = file.keys()
    if any("double_blocks." in name for name in names):  # diffusers calls them transformer_blocks
        return FluxTransformer2DModel.from_single_file(
            str(replacement), config=str(base), subfolder="transformer", **common
        )
    # `from_single_file` would copy the whole file in memory to rename nothing. A folder of links reads
    # it part by part, which matters for SRPO's 47.6 GB of float32.
    with tempfile.TemporaryDirectory() as links:
        (Path(links) / "config.json").symlink_to((base / "transformer" / "config.json").resolve())
        (Path(links) / WEIGHTS).symlink_to(replacement.resolve())
        return FluxTransformer2DModel.from_pretrained(links, use_safetensors=True, **common)


# ---- what can go wrong -------------------------------------------------------------------------------

_SETTINGS = "Set STUDIO_LOCAL_MODEL and STUDIO_LOCAL_TRANSFORMER to a folder or a hub repository, and run again."


@contextmanager
def explained(choice: ModelChoice) -> Iterator[None]:
    """Turn whatever loading raises into an error that says what to click or set."""
    import torch
    from huggingface_hub import errors as hub

    names = " or ".join(name for name in (choice.base, choice.transformer) if name and not _is_path(name))
    asked = names or choice.name
    try:
        yield
    except StudioError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(
            f"{choice.name} does not fit into this machine's memory.",
            "Set STUDIO_LOCAL_MODEL=mini, choose a hosted backend, or use a larger machine.",
        ) from error
    except hub.GatedRepoError as error:
        raise ModelGated(
            f"The hub keeps {asked} behind a licence.",
            f"Accept it on huggingface.co/{choice.base}, make a read token, set it as HF_TOKEN, restart and run again.",
        ) from error
    except hub.RepositoryNotFoundError as error:
        raise ModelMissing(f"The hub has no {asked}, or hides it without a token.", f"{_SETTINGS} {_TOKEN}") from error
    except (hub.LocalEntryNotFoundError, hub.OfflineModeIsEnabled) as error:
        raise ModelMissing(
            f"{asked} is not on this machine yet, and the hub does not answer.",
            "Check the network and run again, or set STUDIO_LOCAL_MODEL to a folder.",
        ) from error
    except hub.EntryNotFoundError as error:
        raise ModelMissing(f"{asked} lacks a file that belongs to a FLUX model.", _SETTINGS) from error
    except hub.HfHubHTTPError as error:
        if error.response is not None and error.response.status_code in (401, 403):
            raise ModelGated(f"The hub refuses the token for {asked}.", _TOKEN) from error
        raise BackendUnavailable("The hub does not answer as it should.", "Run again in a few minutes.") from error
    except Exception as error:
        # Broken or foreign files fail in dozens of ways inside three libraries; their words hold paths.
        if type(error).__module__.startswith(__package__ or ""):
            raise  # our own signal to stop
        log.exception("loading %s failed", choice.name)
        raise ModelMissing(f"The files of {choice.name} cannot be read as a FLUX model.", _SETTINGS) from error


_TOKEN = "Set HF_TOKEN to a token that may read it, and restart."  # noqa: S105 - words about a token, not one
