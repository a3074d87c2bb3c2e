"""A transformer's files: how large they are, how they are read, and SRPO's float32 kept once in bfloat16.

Nothing is ever held twice: weights become what they will be one by one while they are read.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.local.files import WEIGHTS
from backends.local.gguf_file import is_gguf, read_gguf
from backends.local.memory_plan import Sizes
from backends.local.quantise import LARGE, MODULATION
from core.errors import ModelMissing
from core.messages import Message, message

if TYPE_CHECKING:
    import torch

SHARD = 2 * 2**30
"""Bytes of a file of the bfloat16 copy, and what making it holds in memory at a time."""
INDEX = "diffusion_pytorch_model.safetensors.index.json"


def weigh(base: Path, replacement: Path | None, width: int) -> Sizes:
    """Return how much memory a model's parts will take, from the heads of its files.

    Args:
        base: the base model's folder.
        replacement: as for `load_transformer`.
        width: bytes of a weight once it is loaded.
    """
    text = [_count(base / part) * width for part in ("text_encoder", "text_encoder_2")]
    vae = _count(base / "vae") * width
    source = replacement or base / "transformer"
    if is_gguf(source):
        size = source.stat().st_size
        return Sizes(size, size, size, sum(text), max(text), vae, quantised=True)
    shapes = list(_shapes(source))
    count = sum(math.prod(shape) for _, shape in shapes)
    large, modulation = (
        sum(math.prod(shape) for name, shape in shapes if re.fullmatch(rf"{pattern}\.weight", name))
        for pattern in (LARGE, MODULATION)
    )
    eight = count * width - large * (width - 1)
    return Sizes(count * width, eight, eight - modulation * (width - 1), sum(text), max(text), vae)


def _count(path: Path) -> int:
    return sum(math.prod(shape) for _, shape in _shapes(path))


def _shapes(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Yield the name and shape of each weight in a file or folder."""
    from safetensors import safe_open

    for file in sorted(path.glob("*.safetensors")) if path.is_dir() else [path]:
        # By numpy: torch maps a file so that all of it must fit into main memory.
        with safe_open(file, "np") as weights:
            for name in weights.keys():  # noqa: SIM118 - it is no mapping
                yield name, weights.get_slice(name).get_shape()


def load_transformer(
    base: Path,
    replacement: Path | None,
    dtype: torch.dtype,
    device: str = "cpu",
    quantisation: Any = None,
) -> Any:
    """Load a FluxTransformer2DModel.

    Args:
        base: the base model's folder; its `transformer/config.json` tells the shape of a single file.
        replacement: None for the base's own, a folder in the diffusers layout, a `.safetensors` file
            with the weights in diffusers' names, as tencent/SRPO has them, or a `.gguf` file.
        dtype: what the weights become while they are read, one by one.
        device: where they are put.
        quantisation: torchao's config, None to leave them as they are.

    Raises:
        ModelMissing: weights are missing; diffusers alone would go on with random ones.
    """
    if replacement is not None and is_gguf(replacement):
        return read_gguf(base / "transformer", replacement, dtype, device)
    if replacement is None or replacement.is_dir():
        return _read(replacement or base / "transformer", dtype, device, quantisation)
    with _as_folder(base, replacement) as folder:
        return _read(folder, dtype, device, quantisation)


@contextmanager
def _as_folder(base: Path, file: Path) -> Iterator[Path]:
    """Yield a folder of links that makes a single file one in the diffusers layout.

    `from_single_file` would hold the whole file in memory twice.
    """
    with tempfile.TemporaryDirectory() as links:
        (Path(links) / "config.json").symlink_to((base / "transformer" / "config.json").resolve())
        (Path(links) / WEIGHTS).symlink_to(file.resolve())
        yield Path(links)


def _read(folder: Path, dtype: torch.dtype, device: str, quantisation: Any) -> Any:
    import torch
    from diffusers import FluxTransformer2DModel, TorchAoConfig

    more: dict[str, Any] = {}
    if device != "cpu":
        more["device_map"] = {"": torch.device(device)}
    if quantisation is not None:
        more["quantization_config"] = TorchAoConfig(quantisation)
    model, found = FluxTransformer2DModel.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, low_cpu_mem_usage=True, output_loading_info=True, **more
    )
    if found["missing_keys"]:
        raise ModelMissing("model-weights-incomplete", missing=len(found["missing_keys"]))
    return model


def bfloat16_copy(base: Path, file: Path, cache: Path, tell: Callable[[Message], None]) -> Path:
    """Return a folder with a single file's weights in bfloat16, made now if it is not there.

    A float32 file is twice as long to read, each time. Any other file, and one for whose copy the disk
    lacks room, is returned as it is.

    Args:
        base: the base model's folder, for the transformer's config.
        file: a `.safetensors` file in diffusers' names.
        cache: the folder of such copies.
        tell: hears how it goes, and may raise to stop it.
    """
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    mark = file.resolve()
    state = mark.stat()
    name = hashlib.sha256(f"{mark} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:24]
    folder = cache / f"bfloat16-{name}"
    if (folder / INDEX).is_file():
        return folder
    with safe_open(file, "np") as source:
        slices = {name: source.get_slice(name) for name in source.keys()}  # noqa: SIM118 - it is no mapping
        total = sum(2 * math.prod(each.get_shape()) for each in slices.values())
        cache.mkdir(parents=True, exist_ok=True)
        is_float32 = all(each.get_dtype() == "F32" for each in slices.values())
        if not is_float32 or shutil.disk_usage(cache).free < total + SHARD:
            return file
        shards = _shards({name: 2 * math.prod(each.get_shape()) for name, each in slices.items()})
        # Its own name comes last: a copy that was cut short is never taken for one.
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=cache))
        try:
            where: dict[str, str] = {}
            for number, names in enumerate(shards, start=1):
                tell(message("stage-converted", done=number, total=len(shards)))
                shard = f"diffusion_pytorch_model-{number:05}-of-{len(shards):05}.safetensors"
                tensors = {each: torch.from_numpy(source.get_tensor(each)).to(torch.bfloat16) for each in names}
                save_file(tensors, making / shard)
                tensors.clear()
                where |= dict.fromkeys(names, shard)
            shutil.copyfile(base / "transformer" / "config.json", making / "config.json")
            index = {"metadata": {"total_size": total}, "weight_map": where}
            (making / INDEX).write_text(json.dumps(index), encoding="utf-8")
            with suppress(OSError):  # another worker or process was quicker: its copy is as good
                making.rename(folder)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return folder if (folder / INDEX).is_file() else file


def _shards(sizes: dict[str, int]) -> list[list[str]]:
    """Return names in groups of at most SHARD bytes, in their order."""
    shards: list[list[str]] = [[]]
    room = SHARD
    for name, size in sizes.items():
        if size > room and shards[-1]:
            shards.append([])
            room = SHARD
        shards[-1].append(name)
        room -= size
    return shards
