"""Transformers as GGUF files, in diffusers' names and in Black Forest Labs' own, as the community has them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from backends.local.choice import ModelChoice
from backends.local.loading import load
from backends.local.weights import load_transformer, weigh
from core.errors import ModelMissing
from tests.backends.local.cards import card
from tests.backends.local.flows import apart, eight_bit_gguf, tinys_weights, velocity, write_gguf
from tests.backends.local.original import in_original_names
from tests.backends.local.runs import asked, made
from tests.backends.local.tiny import TRANSFORMER
from tests.support.words import said

if TYPE_CHECKING:
    from diffusers import FluxTransformer2DModel

pytestmark = pytest.mark.integration

Bytes = npt.NDArray[np.uint8]

WIDE = {
    **TRANSFORMER,
    "num_layers": 1,
    "num_single_layers": 1,
    "num_attention_heads": 24,
    "attention_head_dim": 128,
    "axes_dims_rope": (16, 56, 56),
}
"""Blocks as wide as FLUX's: diffusers translates original names of no other width."""


def ignore(_: object) -> None: ...


def choice(base: Path, transformer: Path) -> ModelChoice:
    return ModelChoice(str(base), str(transformer), "cpu", None)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_its_velocity_is_near_the_one_of_the_floats_that_it_was_made_from(
    tiny: Path, tmp_path: Path, dtype: str
) -> None:
    import torch

    compute = getattr(torch, dtype)
    packed = load_transformer(tiny, eight_bit_gguf(tmp_path / "flux.gguf", tinys_weights(tiny)), compute)
    assert {weight.itemsize for weight in packed.x_embedder.parameters()} == {1, compute.itemsize}  # matrix, constant
    assert apart(velocity(packed, compute), velocity(load_transformer(tiny, None, compute), compute)) < 0.03


@pytest.mark.parametrize("memory", ["gpu", "text", "tiles"])
def test_it_runs_on_each_of_its_rungs_and_the_status_line_says_so(tiny: Path, tmp_path: Path, memory: str) -> None:
    file = eight_bit_gguf(tmp_path / "flux.gguf", tinys_weights(tiny))
    asked_for = ModelChoice(str(tiny), str(file), "cpu", None, memory=memory)
    model = load(asked_for, ignore, machine=card(quantises=True))
    assert model.rung.key == memory
    assert said(model.status())[0] == "GGUF weights"
    assert model.pipe.transformer.x_embedder.weight.quant_type.name == "Q8_0"  # not turned into anything else
    assert made(model, asked((32, 32))).pictures[0].size == (32, 32)


def test_it_runs_on_a_cpu(tiny: Path, tmp_path: Path) -> None:
    model = load(choice(tiny, eight_bit_gguf(tmp_path / "flux.gguf", tinys_weights(tiny))), ignore)
    assert model.rung.key == "cpu"
    assert made(model, asked((32, 32))).pictures[0].size == (32, 32)


@pytest.mark.parametrize("name", ["flux.gguf", "flux.GGUF"])
def test_its_name_may_end_in_capitals(tiny: Path, tmp_path: Path, name: str) -> None:
    file = eight_bit_gguf(tmp_path / name, tinys_weights(tiny))
    assert weigh(tiny, file, 2).quantised
    model = load(choice(tiny, file), ignore, machine=card())
    assert model.pipe.transformer.x_embedder.weight.quant_type.name == "Q8_0"


LACKING = ["x_embedder.weight", "proj_out.bias", "transformer_blocks.1.norm1.linear.weight"]


@pytest.mark.parametrize("lacks", LACKING)
def test_loading_refuses_one_that_lacks_weights(tiny: Path, tmp_path: Path, lacks: str) -> None:
    weights = {name: weight for name, weight in tinys_weights(tiny).items() if name != lacks}
    with pytest.raises(ModelMissing):
        load(choice(tiny, eight_bit_gguf(tmp_path / "flux.gguf", weights)), ignore, machine=card())


@pytest.mark.parametrize("lacks", LACKING)
def test_one_that_lacks_weights_is_refused_for_just_that(tiny: Path, tmp_path: Path, lacks: str) -> None:
    import torch

    weights = {name: weight for name, weight in tinys_weights(tiny).items() if name != lacks}
    file = eight_bit_gguf(tmp_path / "flux.gguf", weights)
    with pytest.raises(ModelMissing, match="lacks"):
        load_transformer(tiny, file, torch.float32)


@pytest.mark.parametrize("content", [b"", b"GGUF", b"not a model at all" * 100])
def test_a_broken_one_is_explained_without_its_path(tiny: Path, tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "flux.gguf").write_bytes(content)
    with pytest.raises(ModelMissing, match="cannot be read as a FLUX model") as caught:
        load(choice(tiny, file), ignore, machine=card())
    assert str(tmp_path) not in str(caught.value)


def test_one_that_was_cut_short_is_explained(tiny: Path, tmp_path: Path) -> None:
    file = eight_bit_gguf(tmp_path / "flux.gguf", tinys_weights(tiny))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(ModelMissing, match="cannot be read as a FLUX model"):
        load(choice(tiny, file), ignore, machine=card())


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base of one block of each kind, as wide as FLUX's, with no weights."""
    import torch
    from diffusers import FluxTransformer2DModel

    base = tmp_path_factory.mktemp("wide")
    with torch.device("meta"):
        FluxTransformer2DModel(**WIDE).save_config(base / "transformer")
    return base


@pytest.fixture(scope="module")
def packed(wide: Path) -> dict[str, npt.NDArray[Any]]:
    """Weights for it in diffusers' names, each another: matrices in Q4_0, 18 bytes for 32 weights; the rest floats."""
    import torch
    from diffusers import FluxTransformer2DModel

    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    with torch.device("meta"):
        flow: FluxTransformer2DModel = FluxTransformer2DModel(**WIDE)
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, weight in flow.named_parameters():
        if weight.ndim == 2:
            rows, columns = weight.shape
            blocks = rng.integers(0, 256, (rows, columns // 32, 18), dtype=np.uint8)
            blocks[:, :, :2] = np.array([0.004], np.float16).view(np.uint8)  # each block's scale
            arrays[name] = blocks.reshape(rows, -1)
        else:
            arrays[name] = rng.standard_normal(weight.shape, np.float32)
    return arrays


@pytest.fixture
def original(tmp_path: Path) -> Iterator[Path]:
    """Where a file in original names is written; it is large and does not stay."""
    file = tmp_path / "flux1-dev-Q4_0.gguf"
    yield file
    file.unlink()


def write_original(path: Path, arrays: dict[str, npt.NDArray[Any]], without: str = "nothing") -> None:
    from gguf import GGMLQuantizationType

    left = {name: array for name, array in in_original_names(arrays).items() if without not in name}
    kinds = {name: GGMLQuantizationType.Q4_0 for name, array in left.items() if array.dtype == np.uint8}
    write_gguf(path, left, kinds)


def test_original_names_find_their_places_in_diffusers(
    wide: Path, packed: dict[str, npt.NDArray[Any]], original: Path
) -> None:
    import torch

    write_original(original, packed)
    read = load_transformer(wide, original, torch.bfloat16).state_dict()
    assert read.keys() == packed.keys()
    for name, array in packed.items():
        if array.dtype == np.uint8:
            assert read[name].quant_type.name == "Q4_0", name
            assert np.array_equal(read[name].numpy(), array), name
        else:
            assert torch.equal(read[name], torch.from_numpy(array).to(torch.bfloat16)), name


def test_one_of_the_kind_without_guidance_is_refused_with_the_number_that_it_lacks(
    wide: Path, packed: dict[str, npt.NDArray[Any]], original: Path
) -> None:
    import torch

    write_original(original, packed, without="guidance_in")  # as FLUX.1-schnell's
    with pytest.raises(ModelMissing, match="lacks 4 of its weights"):
        load_transformer(wide, original, torch.bfloat16)
