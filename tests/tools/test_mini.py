"""The training of the mini checkpoint: every picture, style, sentence and training step can be made again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tools.mini import flow, material, words
from tools.mini.autoencoder import CONFIG, Code, begin_decoder, fitted_code, set_encoder
from tools.mini.pictures import pictures
from tools.mini.styles import STYLES, TINTS, Style, rendered, tinted

pytestmark = pytest.mark.integration

HELD_OUT = Path(words.__file__).parent / "held_out.json"


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    """One training picture, (1, 3, 96, 96)."""
    return material.as_tensor(np.stack(list(pictures(1, 3, 4, 96))), torch.device("cpu"))


@pytest.fixture(scope="module")
def pool() -> NDArray[np.uint8]:
    """Enough small pictures to fit a code to, (150, 32, 32, 3)."""
    return np.stack(list(pictures(2, 0, 150, 32)))


def test_pictures_are_the_same_for_the_same_seed_and_number() -> None:
    row = list(pictures(1, 0, 3, 64))
    assert np.array_equal(next(pictures(1, 2, 3, 64)), row[2])
    assert not np.array_equal(row[0], row[1])
    assert row[0].shape == (64, 64, 3)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_style_is_a_picture_of_the_same_size_and_always_the_same(style: Style, photo: torch.Tensor) -> None:
    styled = style.program(photo)
    assert styled.shape == photo.shape
    assert 0 <= styled.min() <= styled.max() <= 1
    assert torch.equal(styled, style.program(photo))
    assert (styled - photo).abs().mean() > 0.02


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_style_does_to_each_picture_of_a_batch_what_it_does_to_it_alone(style: Style, photo: torch.Tensor) -> None:
    both = style.program(torch.cat([photo, 1 - photo]))
    assert torch.allclose(both[1:], style.program(1 - photo), atol=1e-5)


def test_light_goes_on_top_of_a_medium_whatever_is_named_first(photo: torch.Tensor) -> None:
    places = {style.name: place for place, style in enumerate(STYLES)}
    sepia, pencil = places["sepia"], places["pencil"]
    expected = STYLES[sepia].program(STYLES[pencil].program(photo))
    assert torch.equal(rendered(photo, [sepia, pencil]), expected)
    assert torch.equal(rendered(photo, [pencil, sepia]), expected)


def test_no_style_and_no_tint_keep_the_picture(photo: torch.Tensor) -> None:
    assert torch.equal(rendered(photo, []), photo)


@pytest.mark.parametrize("tint", TINTS)
def test_a_tint_draws_toward_its_colour(tint: str, photo: torch.Tensor) -> None:
    strongest = int(np.argmax(TINTS[tint]))
    before, after = (picture.mean((0, 2, 3)) for picture in (photo, tinted(photo, tint)))
    assert after[strongest] - after.mean() > before[strongest] - before.mean()


def test_sentences_are_the_same_for_the_same_seed() -> None:
    one, other = (words.sentence(np.random.default_rng(5), [0, 3], ["red"]) for _ in range(2))
    assert one == other


def test_held_out_phrasings_are_enough_name_known_styles_and_stand_in_no_training_sentence() -> None:
    held_out = json.loads(HELD_OUT.read_text(encoding="utf-8"))
    names = {style.name for style in STYLES}
    assert len(held_out) >= 60
    assert {each["style"] for each in held_out} == names
    rng = np.random.default_rng(material.SEED)
    told = {bare(words.sentence(rng, *words.draw_look(rng))) for _ in range(40_000)}
    phrases = {bare(each) for style in words._STYLES for kind in style.values() for each in kind}
    assert not (told | phrases) & {bare(each["prompt"]) for each in held_out}


def bare(sentence: str) -> str:
    return sentence.lower().strip(" .,!?").removeprefix("a ").removeprefix("an ").removeprefix("the ")


def test_tokens_and_their_places_are_those_of_the_pipeline() -> None:
    from diffusers import FluxImg2ImgPipeline as Pipeline

    latents = torch.randn(2, 16, 8, 8)
    assert torch.equal(flow.packed(latents), Pipeline._pack_latents(latents, 2, 16, 8, 8))
    ids = Pipeline._prepare_latent_image_ids(2, 4, 4, torch.device("cpu"), torch.float32)
    assert torch.equal(flow.places(8, torch.device("cpu")), ids)


def test_noise_levels_are_those_of_the_scheduler() -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(**flow.SCHEDULER)
    shares = np.linspace(1.0, 1 / 20, 20)
    scheduler.set_timesteps(sigmas=shares, mu=0.7)
    assert scheduler.sigmas[:-1].numpy() == pytest.approx(flow.sigma(shares), abs=1e-6)


def test_a_perfect_model_carries_the_photo_to_the_style_at_full_strength_and_half_way_at_a_low_one() -> None:
    photo, styled = torch.zeros(1, 16, 4, 4, dtype=torch.float64), torch.ones(1, 16, 4, 4, dtype=torch.float64)
    noise = torch.randn(1, 16, 4, 4, dtype=torch.float64)

    def end(strength: float) -> float:
        shares = np.arange(round(20 * strength), -1, -1) / 20
        levels = flow.sigma(shares)
        x = (1 - levels[0]) * photo + levels[0] * noise
        for share, level, following in zip(shares[:-1], levels[:-1], levels[1:], strict=True):
            at = (x - level * noise) / (1 - level) if level < 1 else styled
            rate = flow.PULL * (1 - level) / flow.slope(share)
            x = x + (following - level) * (noise - at - rate * (styled - at))
        return float(x.mean())

    assert 0.45 < end(0.2) < 0.75
    assert end(0.2) < end(0.4) < end(0.6)
    assert end(0.6) > 0.9
    assert end(1.0) == pytest.approx(1, abs=0.05)


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    def trained(work: Path, *stops: int) -> torch.Tensor:
        work.mkdir(exist_ok=True)
        torch.manual_seed(0)
        model = torch.nn.Linear(3, 1)

        def loss_of(step: int) -> torch.Tensor:
            if stops and step == stops[0]:
                raise KeyboardInterrupt
            return model(torch.randn(4, 3)).square().mean()

        done = material.train("stage", work, model, 600, 1e-2, loss_of)
        return torch.cat([each.flatten() for each in done.parameters()])

    whole = trained(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "broken", 400)
    assert torch.equal(trained(tmp_path / "broken"), whole)


def test_pictures_are_made_once_and_read_from_disk_after(tmp_path: Path) -> None:
    first = material.picture_file(tmp_path, 18, 32, 7)
    assert np.array_equal(first[17], next(pictures(7, 17, 18, 32)))
    made = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    material.picture_file(tmp_path, 18, 32, 7)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == made


def random_code() -> Code:
    generator = torch.Generator().manual_seed(3)
    vectors = torch.linalg.qr(torch.randn(192, 16, generator=generator)).Q.T.reshape(16, 3, 8, 8)
    return Code(torch.randn(3, 8, 8, generator=generator) / 4, vectors, vectors)


def test_the_encoder_tells_each_block_by_its_code_whatever_the_picture(photo: torch.Tensor) -> None:
    from diffusers import AutoencoderKL

    code, model = random_code(), AutoencoderKL(**CONFIG)
    with torch.no_grad():
        set_encoder(model.encoder, code)
        for picture in (photo, photo * 0, photo * 0 + 1, 1 - photo[..., :48, :]):
            told = model.encode(picture * 2 - 1).latent_dist
            assert torch.allclose(told.mean, code.encode(picture), atol=0.02)
            assert told.std.max() < 1e-3


def test_the_decoder_begins_with_each_blocks_mean_colour(photo: torch.Tensor, pool: NDArray[np.uint8]) -> None:
    from diffusers import AutoencoderKL

    code, model = fitted_code(pool), AutoencoderKL(**CONFIG)
    with torch.no_grad():
        begin_decoder(model.decoder, code)
        latents = code.encode(photo)
        painted = torch.nn.functional.avg_pool2d(model.decode(latents).sample, 8)
        blocks = torch.einsum("bkhw,kcyx->bchwyx", latents, code.back).mean((-1, -2))
        mean = blocks + code.mean.mean((1, 2))[:, None, None]
    assert torch.corrcoef(torch.stack([painted.flatten(), mean.flatten()]))[0, 1] > 0.9


def test_a_fitted_code_loses_less_than_any_other_of_its_size(pool: NDArray[np.uint8]) -> None:
    code = fitted_code(pool)
    batch = material.as_tensor(pool[:20], torch.device("cpu"))

    def loss(one: Code) -> float:
        back = torch.nn.functional.conv_transpose2d(one.encode(batch), one.back, stride=8) + one.mean.repeat(1, 4, 4)
        return float((back - (batch * 2 - 1)).square().mean())

    assert loss(code) < 0.5 * loss(random_code())
    assert code.encode(batch).square().mean() == pytest.approx(1, abs=0.5)
