"""Previews: colours from latents by a fitted map, at most every half second."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backends.local.preview import MIN_INTERVAL, Previewer, fit_rgb

torch = pytest.importorskip("torch")


class PatchAverage(torch.nn.Module):
    """A VAE's encoder half: the 8x8 average of each colour, mixed into four channels in a known way."""

    MIX = torch.tensor([[0.9, 0.1, 0.0], [0.0, 0.8, 0.3], [0.2, 0.0, 0.7], [0.1, 0.1, 0.1]])

    def __init__(self) -> None:
        super().__init__()
        self.device, self.dtype = torch.device("cpu"), torch.float32

    def encode(self, pixels: Any) -> Any:
        mean = torch.einsum("cr,nrhw->nchw", self.MIX, torch.nn.functional.avg_pool2d(pixels, 8)) + 0.25

        class Found:
            class latent_dist:  # noqa: N801 - diffusers' own name
                pass

        Found.latent_dist.mean = mean  # type: ignore[attr-defined]
        return Found


def previewer(
    sigmas: list[float], times: list[float], weights: Any = None, keep: tuple[float, float] = (1, 1)
) -> Previewer:
    clock = iter(times)
    if weights is None:
        weights = np.concatenate([np.eye(3), np.zeros((1, 3))]).astype(np.float32)
    return Previewer(weights, sigmas, keep, lambda: next(clock))


def after(show: Previewer, step: int, latents: Any) -> tuple[bytes, ...]:
    ends = show.ends(step, latents)
    return () if ends is None else show.draw(ends)


def pixel(jpeg: bytes) -> tuple[int, ...]:
    picture = Image.open(io.BytesIO(jpeg))
    colour = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(colour, tuple)
    return colour


def plane(*colour: float, height: int = 8, width: int = 8) -> Any:
    return np.broadcast_to(np.array(colour, np.float32)[None, :, None, None], (1, 3, height, width)).copy()


def test_the_fit_finds_the_colours_that_the_vae_encoded() -> None:
    weights = fit_rgb(PatchAverage(), side=64)
    colours = torch.tensor([[0.2, 0.5, 0.9], [1.0, 0.0, 0.4]])
    latents = (colours * 2 - 1) @ PatchAverage.MIX.T + 0.25
    assert np.allclose(latents.numpy() @ weights[:-1] + weights[-1], colours.numpy(), atol=0.01)


def test_two_latents_on_a_line_show_where_it_ends() -> None:
    end, noise = plane(0.8, 0.4, 0.2), plane(-1.0, 0.5, 2.0)
    sigmas = [1.0, 0.75, 0.5, 0.0]
    at = [end + sigma * (noise - end) for sigma in sigmas[1:]]
    show = previewer(sigmas, [0.0, 10.0])
    assert after(show, 0, at[0]) == ()  # one point makes no line
    (jpeg,) = after(show, 1, at[1])
    assert pixel(jpeg) == pytest.approx((204, 102, 51), abs=3)


def test_previews_keep_their_distance_in_time() -> None:
    steps = 6
    sigmas = [1 - i / steps for i in range(steps + 1)]
    show = previewer(sigmas, [0.0, 1.0, 1.0 + MIN_INTERVAL / 2, 1.0 + MIN_INTERVAL, 1.1 + MIN_INTERVAL, 9.0])
    shown = [bool(after(show, i, plane(0.1, 0.1, 0.1) * (steps - i))) for i in range(steps)]
    assert shown == [False, True, False, True, False, True]


def test_padding_is_cut_from_the_preview() -> None:
    show = previewer([1.0, 0.5, 0.0], [0.0, 1.0], keep=(0.5, 0.75))
    after(show, 0, plane(0, 0, 0, height=8, width=16))
    (jpeg,) = after(show, 1, plane(0, 0, 0, height=8, width=16))
    assert Image.open(io.BytesIO(jpeg)).size == (16, 12)  # half of 16 and three quarters of 8, twice as large


@pytest.mark.parametrize(("latent", "shown"), [((0.5, 9.0, -9.0), (128, 255, 0)), ((np.nan, 0.5, 0.5), (0, 0, 0))])
def test_numbers_out_of_range_still_make_a_picture(latent: tuple[float, ...], shown: tuple[int, ...]) -> None:
    show = previewer([1.0, 0.5, 0.0], [0.0, 1.0])
    after(show, 0, plane(*latent))
    (jpeg,) = after(show, 1, plane(*latent))
    assert pixel(jpeg) == pytest.approx(shown, abs=6)
