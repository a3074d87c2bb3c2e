"""The mini checkpoint: FLUX's own layout, always the same bytes, whole or not there."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from backends.local.mini import build, mini_checkpoint

ROOT = Path(__file__).resolve().parents[3]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_diffusers_loads_it_as_it_loads_flux(mini: Path) -> None:
    from diffusers import FluxImg2ImgPipeline

    pipe = FluxImg2ImgPipeline.from_pretrained(mini)
    assert pipe.vae.config.latent_channels == 16
    assert pipe.vae_scale_factor == 8
    assert pipe.transformer.config.guidance_embeds
    assert pipe.transformer.config.in_channels == 64
    assert pipe.scheduler.config.use_dynamic_shifting


def test_building_twice_gives_the_same_bytes(mini: Path, tmp_path: Path) -> None:
    build(tmp_path)
    assert contents(tmp_path) == contents(mini)


def test_building_leaves_the_random_state_alone(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    build(tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())


def test_it_takes_less_than_four_megabytes(mini: Path) -> None:
    assert sum(len(data) for data in contents(mini).values()) < 4_000_000


def test_it_is_built_once(mini: Path, data_dir: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in mini.rglob("*")}
    assert mini_checkpoint(data_dir) == mini
    assert {path: path.stat().st_mtime_ns for path in mini.rglob("*")} == before


def test_two_at_once_give_one_whole_checkpoint(tmp_path: Path, mini: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(mini_checkpoint, [tmp_path, tmp_path])
    assert first == second
    assert contents(first).keys() == contents(mini).keys()
    assert list(tmp_path.iterdir()) == [first]


def test_a_failed_build_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import resource, sys, pathlib; from backends.local.mini import mini_checkpoint;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000));"  # as a full disk: a file ends at 50 kB
        "mini_checkpoint(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("prompt", ["a cat", "ünïcödé 猫 🐈", "tabs\tand\nlines", "x" * 4000])
def test_its_tokenizers_take_any_text(mini: Path, prompt: str) -> None:
    from transformers import CLIPTokenizer, T5TokenizerFast

    for tokenizer, most in (
        (CLIPTokenizer.from_pretrained(mini / "tokenizer"), 77),
        (T5TokenizerFast.from_pretrained(mini / "tokenizer_2"), 128),
    ):
        ids = tokenizer(prompt, truncation=True, max_length=most, padding="max_length").input_ids
        assert len(ids) == most
        assert max(ids) < len(tokenizer)


def test_its_byte_level_tokenizer_knows_every_sign(mini: Path) -> None:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(mini / "tokenizer")
    assert tokenizer.decode(tokenizer("émigré 猫").input_ids, skip_special_tokens=True).strip() == "émigré 猫"
