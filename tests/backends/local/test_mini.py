"""The mini checkpoint that comes with the app: FLUX's own layout, small files, text of any kind, known styles."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from backends.local import LocalBackend
from backends.local.choice import MINI_FOLDER
from backends.local.model_spec import MINI_SIDE, mini_styles
from core.imaging.images import encode, read_reference
from core.request import EditRequest
from tests.backends.local.runs import drain
from tests.support.fakes import picture
from tools.mini.checkpoint import MAX_ALL, MAX_FILE, PARTS
from tools.mini.sheets import as_picture
from tools.mini.styles import STYLES
from ui.examples import FOLDER

if TYPE_CHECKING:
    from torch import Tensor

pytestmark = pytest.mark.integration


def test_diffusers_loads_it_as_it_loads_flux() -> None:
    from diffusers import FluxImg2ImgPipeline

    pipe = FluxImg2ImgPipeline.from_pretrained(MINI_FOLDER)
    assert pipe.vae.config.latent_channels == 16
    assert pipe.vae_scale_factor == 8
    assert pipe.transformer.config.guidance_embeds
    assert pipe.transformer.config.in_channels == 64
    assert {part.__class__.__name__ for part in pipe.components.values() if part is not None} == {
        "AutoencoderKL",
        "CLIPTextModel",
        "CLIPTokenizer",
        "FlowMatchEulerDiscreteScheduler",
        "FluxTransformer2DModel",
        "T5EncoderModel",
        "T5Tokenizer",
    }


def test_diffusers_runs_it_unchanged() -> None:
    from diffusers import FluxImg2ImgPipeline

    pipe = FluxImg2ImgPipeline.from_pretrained(MINI_FOLDER)
    pipe.set_progress_bar_config(disable=True)
    made = pipe("a pencil sketch", image=picture("RGB", (64, 48)), height=48, width=64, num_inference_steps=3)
    assert made.images[0].size == (64, 48)


def test_it_needs_no_large_file_storage() -> None:
    sizes = [path.stat().st_size for name in PARTS for path in (MINI_FOLDER / name).rglob("*")]
    assert max(sizes) < MAX_FILE
    assert sum(sizes) < MAX_ALL


def test_its_weights_are_float16() -> None:
    from safetensors import safe_open

    for path in MINI_FOLDER.rglob("*.safetensors"):
        with safe_open(path, "pt") as weights:
            assert {weights.get_slice(name).get_dtype() for name in weights.keys()} <= {"F16", "I64"}, path  # noqa: SIM118 - no dict


def test_it_knows_twelve_styles_or_more() -> None:
    styles = mini_styles()
    assert len(styles) >= 12
    assert len({style.label for style in styles}) == len({style.text for style in styles}) == len(styles)


def test_its_longest_side_is_a_multiple_of_its_tokens() -> None:
    assert MINI_SIDE % 16 == 0


@pytest.mark.parametrize("prompt", ["", "a cat", "ünïcödé 猫 🐈", "tabs\tand\nlines", "x" * 4000])
def test_its_tokenizers_take_any_text(prompt: str) -> None:
    from transformers import CLIPTokenizer, T5TokenizerFast

    for name, kind in (("tokenizer", CLIPTokenizer), ("tokenizer_2", T5TokenizerFast)):
        tokenizer = kind.from_pretrained(MINI_FOLDER / name)
        most = tokenizer.model_max_length
        ids = tokenizer(prompt, truncation=True, max_length=most, padding="max_length").input_ids
        assert len(ids) == most
        assert max(ids) < len(tokenizer)


def test_its_byte_level_tokenizer_knows_every_sign() -> None:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(MINI_FOLDER / "tokenizer")
    assert tokenizer.decode(tokenizer("émigré 猫").input_ids, skip_special_tokens=True).strip() == "émigré 猫"


NAMES = ("pencil", "night", "cyanotype", "stained_glass")


@pytest.fixture(scope="module")
def photo() -> Tensor:
    """An example picture at 256x192, (1, 3, 192, 256) in 0..1."""
    import torch

    small = Image.open(FOLDER / "still-life.jpg").convert("RGB").resize((256, 192))
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("name", NAMES)
async def test_a_prompt_draws_the_style_that_it_names(local: LocalBackend, photo: Tensor, name: str) -> None:
    import torch
    from torch.nn.functional import avg_pool2d

    known = {style.name: style for style in STYLES}
    reference = read_reference(encode(as_picture(photo), "png"))
    request = EditRequest.build(local.spec, known[name].prompt, reference, {"seed": 5})
    made = Image.open(io.BytesIO((await drain(local, request))[1].images[0].data))
    result = torch.from_numpy(np.array(made)).permute(2, 0, 1)[None] / 255
    apart = {each: float((avg_pool2d(result - known[each].program(photo), 4)).abs().mean()) for each in NAMES}
    assert min(apart, key=apart.__getitem__) == name
    assert apart[name] < float(avg_pool2d(photo - known[name].program(photo), 4).abs().mean())
