"""A transformer's files: what each kind becomes, how much memory it takes, and that nothing is there twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backends.local.choice import ModelChoice
from backends.local.files import WEIGHTS
from backends.local.loading import load
from backends.local.weights import load_transformer, weigh
from tests.backends.local import tiny as shapes
from tests.backends.local.cards import FLUX, card
from tests.backends.local.flows import tinys_weights, velocity, written

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
FLUXES_VAE = {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "norm_num_groups": 32}
FLUXES_T5 = {"vocab_size": 32128, "d_model": 4096, "d_ff": 10240, "d_kv": 64, "num_layers": 24, "num_heads": 64}
FLUXES_CLIP = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}


def ignore(_: object) -> None: ...


def taken(*parts: Any) -> int:
    """Return the bytes of parts' weights, each counted once."""
    return sum(weight.nbytes for part in parts for weight in part.parameters())


@pytest.mark.parametrize("lies_in", ["float32", "bfloat16"])
@pytest.mark.parametrize("becomes", ["float32", "bfloat16"])
def test_a_single_file_of_either_type_says_what_the_full_folder_says(
    tiny: Path, tmp_path: Path, lies_in: str, becomes: str
) -> None:
    import torch

    dtype, lies = getattr(torch, becomes), getattr(torch, lies_in)
    rounded = {name: weight.to(lies) for name, weight in tinys_weights(tiny).items()}
    folder = tmp_path / "base"
    shutil.copytree(tiny, folder)
    written(folder / "transformer" / WEIGHTS, rounded)
    single = load_transformer(tiny, written(tmp_path / "srpo.safetensors", rounded), dtype)
    assert {weight.dtype for weight in single.parameters()} == {dtype}
    assert np.array_equal(velocity(single, dtype), velocity(load_transformer(folder, None, dtype), dtype))


def test_what_was_read_is_every_weight_rounded_once(tiny: Path, tmp_path: Path) -> None:
    import torch

    weights = tinys_weights(tiny)
    read = load_transformer(tiny, written(tmp_path / "srpo.safetensors", weights), torch.bfloat16).state_dict()
    assert read.keys() == weights.keys()
    assert all(torch.equal(read[name], weight.to(torch.bfloat16)) for name, weight in weights.items())


@pytest.mark.parametrize("model", ["tiny", "mini"])
def test_a_model_takes_the_memory_that_was_weighed(tiny: Path, model: str) -> None:
    pipe = (loaded := load(ModelChoice(str(tiny) if model == "tiny" else None, None, "cpu", None), ignore)).pipe
    assert {weight.itemsize for weight in pipe.transformer.parameters()} == {2 if model == "tiny" else 4}
    assert loaded.sizes.transformer == taken(pipe.transformer)
    assert loaded.sizes.text == taken(pipe.text_encoder, pipe.text_encoder_2)
    assert loaded.sizes.text_part == max(taken(pipe.text_encoder), taken(pipe.text_encoder_2))
    assert loaded.sizes.vae == taken(pipe.vae)


@pytest.mark.parametrize(("rung", "size"), [("fp8", "transformer8"), ("offload", "smallest8")])
def test_a_transformer_in_8_bits_takes_the_memory_that_was_weighed(tiny: Path, rung: str, size: str) -> None:
    import torch
    from torchao.quantization import Float8Tensor

    from backends.local.memory_plan import BY_KEY
    from backends.local.quantise import eight_bits

    bits = eight_bits(card(), modulation=BY_KEY[rung].modulation)
    flow = load_transformer(tiny, None, torch.bfloat16, quantisation=bits)
    packed = [weight for weight in flow.parameters() if isinstance(weight, Float8Tensor)]
    plain = [weight for weight in flow.parameters() if not isinstance(weight, Float8Tensor)]
    sizes = weigh(tiny, None, 2)
    assert getattr(sizes, size) == sum(each.qdata.nbytes for each in packed) + sum(each.nbytes for each in plain)


@pytest.mark.parametrize("as_folder", [True, False])
def test_what_replaces_the_transformer_is_weighed_in_its_place(tiny: Path, tmp_path: Path, as_folder: bool) -> None:
    weights = tinys_weights(tiny)
    del weights["proj_out.bias"]
    file = written(tmp_path / WEIGHTS, weights)
    own, other = weigh(tiny, None, 2), weigh(tiny, tmp_path if as_folder else file, 2)
    assert own.transformer - other.transformer == 2 * 64
    assert (own.text, own.text_part, own.vae) == (other.text, other.text_part, other.vae)


def test_a_gguf_transformer_weighs_what_its_file_does_at_any_width(tiny: Path, tmp_path: Path) -> None:
    file = tmp_path / "flux-Q4.gguf"
    file.write_bytes(bytes(12345))
    for width in (2, 4):
        sizes, own = weigh(tiny, file, width), weigh(tiny, None, width)
        assert sizes.quantised
        assert sizes.transformer == sizes.transformer8 == sizes.smallest8 == 12345
        assert (sizes.text, sizes.text_part, sizes.vae) == (own.text, own.text_part, own.vae)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder whose files do not stay: they take no disk here, but may where they are copied to."""
    yield (made := tmp_path / "hollow")
    shutil.rmtree(made)


def test_fluxs_files_weigh_what_the_ladder_was_laid_out_for(folder: Path) -> None:
    import torch
    from diffusers import AutoencoderKL, FluxTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    with torch.device("meta"):
        parts = {
            "transformer": FluxTransformer2DModel(guidance_embeds=True),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**FLUXES_CLIP)),
            "text_encoder_2": T5EncoderModel(T5Config(**FLUXES_T5, feed_forward_proj="gated-gelu")),
            "vae": AutoencoderKL(**{**shapes.VAE, **FLUXES_VAE, "mid_block_add_attention": True}),
        }
    for name, part in parts.items():
        (folder / name).mkdir(parents=True)
        hollow(folder / name / WEIGHTS, part)
    assert weigh(folder, None, 2) == FLUX


def hollow(path: Path, part: Any) -> None:
    """Write a part's file in float32 with its head and, where the weights would lie, a hole that takes no disk."""
    head, end = {}, 0
    for name, weight in part.named_parameters():
        begin, end = end, end + 4 * weight.numel()
        head[name] = {"dtype": "F32", "shape": list(weight.shape), "data_offsets": [begin, end]}
    text = json.dumps(head).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A base with a transformer's config only, and beside it `srpo.safetensors`, 360 MB of float32."""
    import torch
    from diffusers import FluxTransformer2DModel

    base = tmp_path_factory.mktemp("medium")
    wide = {"num_attention_heads": 8, "attention_head_dim": 128, "axes_dims_rope": (16, 56, 56)}
    with torch.device("meta"):
        flow = FluxTransformer2DModel(**{**shapes.TRANSFORMER, **wide, "num_layers": 2, "num_single_layers": 1})
    flow.save_config(base / "transformer")
    written(base / "srpo.safetensors", {name: torch.rand(each.shape) for name, each in flow.named_parameters()})
    yield base
    shutil.rmtree(base)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_float32_becomes_bfloat16_without_a_second_copy_in_memory(tiny: Path, medium: Path) -> None:
    file = medium / "srpo.safetensors"
    command = [sys.executable, "-m", "tests.backends.local.measure", str(tiny), str(medium), str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    half = file.stat().st_size / 2
    assert found["weights"] == pytest.approx(half, rel=0.01)
    for way in ("load", "copy"):
        # What bfloat16 takes, and a little for the weight at hand; a second copy would be as much again, or more.
        assert 0.8 * half < found[way] < 1.3 * half, way
