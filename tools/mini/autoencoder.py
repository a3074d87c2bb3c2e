"""Stage one: the autoencoder, 8x smaller with 16 channels, as FLUX's, with 1.8 million parameters.

Its encoder is computed, not trained: each block of 8x8 pixels is told by its 16 principal components, and the weights
of diffusers' encoder are set so that it does just that. So the latents are known from the start, are cut like pictures,
and lose as little as a linear code can. The decoder is trained; it begins as one that paints each block's mean colour.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tools.mini.material import SEED, as_tensor, train
from tools.mini.parts import LATENT_CHANNELS, vae_config
from tools.mini.styles import STYLES, rendered

CONFIG = vae_config((24, 48, 64, 96), 4, scale=1.0, shift=0.0)  # the code itself has deviation 1
LATENTS, BLOCK = LATENT_CHANNELS, 8
EVENNESS = 0.65
"""How far the components are brought to one deviation: 0 leaves them, 1 makes them equal. Under noise, detail then
lasts nearly as long as colour."""
LOUD = 32.0
"""A constant beside the signal in a group: the group's norm then leaves the signal's scale alone."""
NOISE = 0.45
"""The highest deviation of the noise that the decoder learns to see through, each picture with one from 0 up to it: a
flow's latents are never exact, and this one's keep 0.1 at strength 0.4, 0.2 at 0.6 and 0.4 at 0.8 of their noise."""
CROPS = ((0.4, 8, 64), (0.75, 8, 96), (1.0, 2, 256))
"""Until which share of the steps, how many crops, of how many pixels. Small ones are quick; large ones come last,
because group norms see the whole picture."""


@dataclass(frozen=True)
class Code:
    """The principal components of blocks of pixels in -1..1.

    Attributes:
        mean: the mean block, (3, 8, 8).
        out: from a block to its code, (16, 3, 8, 8).
        back: from a code to its block, (16, 3, 8, 8).
    """

    mean: Tensor
    out: Tensor
    back: Tensor

    def encode(self, pictures: Tensor) -> Tensor:
        """Return the latents, (batch, 16, height / 8, width / 8), of pictures in 0..1."""
        bias = -(self.out * self.mean).sum((1, 2, 3))
        return functional.conv2d(pictures * 2 - 1, self.out, bias, stride=BLOCK)


def fitted_code(pool: NDArray[np.uint8]) -> Code:
    """Return the code that tells the pool's pictures, each as a photo and in three styles, with the least loss."""
    rng = np.random.default_rng((SEED, 1))
    total, mean, count = torch.zeros(192, 192, dtype=torch.float64), torch.zeros(192, dtype=torch.float64), 0
    for number in rng.choice(len(pool), 150, replace=False):
        photo = as_tensor(pool[number : number + 1], torch.device("cpu"))
        shown = [photo, *(STYLES[place].program(photo) for place in rng.choice(len(STYLES), 3, replace=False))]
        blocks = functional.unfold(torch.cat(shown) * 2 - 1, BLOCK, stride=BLOCK).transpose(1, 2).reshape(-1, 192)
        total, mean, count = (
            total + blocks.T.double() @ blocks.double(),
            mean + blocks.double().sum(0),
            count + len(blocks),
        )
    mean = mean / count
    values, vectors = torch.linalg.eigh(total / count - torch.outer(mean, mean))
    values, vectors = values[-LATENTS:].flip(0), vectors[:, -LATENTS:].flip(1)
    vectors = vectors * vectors.sum(0).sign()  # a sign of our own choice, for eigenvectors have none
    spread = values.sqrt() ** (1 - EVENNESS)
    spread = spread / spread.square().mean().sqrt()
    gain = spread / values.sqrt()
    shape = (LATENTS, 3, BLOCK, BLOCK)
    return Code(
        mean.view(3, BLOCK, BLOCK).float(),
        (vectors * gain).T.reshape(shape).float(),
        (vectors / gain).T.reshape(shape).float(),
    )


def trained_autoencoder(
    work: Path, pool: NDArray[np.uint8], code: Code, steps: int, device: torch.device
) -> AutoencoderKL:
    """Return the autoencoder after `steps` of its decoder.

    Args:
        work: the work folder.
        pool: (n, side, side, 3) pictures.
        code: what its encoder does.
        steps: how many.
        device: where to train.
    """
    torch.manual_seed(SEED)
    model = AutoencoderKL(**CONFIG)
    with torch.no_grad():
        set_encoder(model.encoder, code)
        begin_decoder(model.decoder, code)
    model.to(device, memory_format=torch.channels_last)

    def loss_of(step: int) -> Tensor:
        count, side = next((count, side) for share, count, side in CROPS if step < steps * share)
        picture = _batch(pool, step, count, side)
        latents = code.encode(picture).to(device)
        level = NOISE * torch.rand(len(latents), 1, 1, 1, device=device)
        latents = latents + level * torch.randn_like(latents)
        with torch.autocast(device.type, torch.bfloat16):
            back = model.decoder(latents.contiguous(memory_format=torch.channels_last))
        return _loss(back.float(), picture.to(device) * 2 - 1)

    model.decoder = train("decoder", work, model.decoder, steps, 1.5e-3, loss_of)
    return model.eval()


def _batch(pool: NDArray[np.uint8], step: int, count: int, side: int) -> Tensor:
    """Return crops, (count, 3, side, side); half of them as photos, half in a style."""
    rng = np.random.default_rng((SEED, step))
    crops = []
    for number in rng.integers(len(pool), size=count):
        top, left = rng.integers(pool.shape[1] - side + 1, size=2)
        crop = pool[number, top : top + side, left : left + side]
        crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    batch = as_tensor(np.stack(crops), torch.device("cpu"))
    for place in range(0, count, 2):
        chosen = rng.choice(len(STYLES), size=1 if rng.random() < 0.8 else 2, replace=False)
        batch[place : place + 1] = rendered(batch[place : place + 1], chosen.tolist())
    return batch


def _loss(back: Tensor, picture: Tensor) -> Tensor:
    """Return how far a picture came back changed: its pixels, its edges, its 8x8 averages (they fix global colour)."""
    difference = back - picture
    across, down = difference.diff(dim=-1).abs().mean(), difference.diff(dim=-2).abs().mean()
    average = functional.avg_pool2d(difference, BLOCK).abs().mean()
    return difference.abs().mean() + 2 * difference.square().mean() + 0.25 * (across + down) + 0.5 * average


def _pass_on(block: Any) -> None:
    """Make each residual layer hand its input on: channels keep their places, nothing is added."""
    for layer in block.resnets:
        layer.conv2.weight.zero_()
        layer.conv2.bias.zero_()
        if layer.conv_shortcut is not None:
            layer.conv_shortcut.weight.copy_(torch.eye(*layer.conv_shortcut.weight.shape[:2])[..., None, None])
            layer.conv_shortcut.bias.zero_()


def set_encoder(encoder: Any, code: Code) -> None:
    """Set the weights of diffusers' encoder so that its mean is `code.encode`.

    The first two halvings only move pixels into channels, 3 to 12 to 48; the third takes the components. Before the
    last convolution stand a group norm and SiLU: `silu(x) - silu(-x)` is `x`, and a loud constant in each group makes
    the norm divide by the same number for every picture.
    """
    for block in (*encoder.down_blocks, encoder.mid_block):
        _pass_on(block)
    halvings = [block.downsamplers[0].conv for block in encoder.down_blocks[:3]]
    for convolution in (encoder.conv_in, *halvings, encoder.conv_out):
        convolution.weight.zero_()
        convolution.bias.zero_()
    for channel in range(3):
        encoder.conv_in.weight[channel, channel, 1, 1] = 1
    for convolution, channels in zip(halvings[:2], (3, 12), strict=True):
        for place in range(4):
            for channel in range(channels):
                convolution.weight[place * channels + channel, channel, place // 2, place % 2] = 1
    # A channel of the second halving is a pixel of a 4x4 quarter: its row is 2 * (second) + (first).
    quarters = code.out.view(LATENTS, 3, 2, 2, 2, 2, 2, 2)  # code, colour, then rows and columns: third, second, first
    ordered = quarters.permute(0, 3, 6, 4, 7, 1, 2, 5)  # code, second row, column, first row, column, colour, third
    halvings[2].weight[:LATENTS, :48, :2, :2] = ordered.reshape(LATENTS, 48, 2, 2)
    halvings[2].bias[:LATENTS] = -(code.out * code.mean).sum((1, 2, 3))
    groups = encoder.conv_norm_out.num_groups
    size, each = encoder.conv_norm_out.num_channels // groups, LATENTS // groups
    last = encoder.down_blocks[3].resnets[0].conv_shortcut
    last.weight.zero_()
    loud = (size - 2 * each) // 2
    scale = LOUD * (2 * loud / size) ** 0.5
    for latent in range(LATENTS):
        plus = latent // each * size + latent % each
        last.weight[plus, latent], last.weight[plus + each, latent] = 1, -1
        encoder.conv_out.weight[latent, plus, 1, 1] = scale
        encoder.conv_out.weight[latent, plus + each, 1, 1] = -scale
    for group in range(groups):
        first = group * size + 2 * each
        last.bias[first : first + loud], last.bias[first + loud : first + 2 * loud] = LOUD, -LOUD
    encoder.conv_out.bias[LATENTS:] = -20  # the log variance: as good as none


def begin_decoder(decoder: Any, code: Code) -> None:
    """Set the decoder's first weights so that it paints each block's mean colour, and has all else to learn.

    Each colour travels as `x` and `-x` beside a constant and its negative, in one group of the last norm.
    """
    loud = LOUD / 4
    for block in (decoder.mid_block, *decoder.up_blocks):
        for layer in block.resnets:
            layer.conv2.weight.mul_(0.1)
            layer.conv2.bias.zero_()
            if layer.conv_shortcut is not None:
                layer.conv_shortcut.weight.copy_(torch.eye(*layer.conv_shortcut.weight.shape[:2])[..., None, None])
                layer.conv_shortcut.bias.zero_()
    size = decoder.conv_norm_out.num_channels // decoder.conv_norm_out.num_groups
    carriers = torch.tensor([size * colour + k for colour in range(3) for k in range(4)])
    for block in decoder.up_blocks[:-1]:
        convolution = block.upsamplers[0].conv
        convolution.weight.mul_(0.3)
        convolution.weight[carriers] = 0
        convolution.bias.zero_()
        convolution.weight[:, :, 1, 1] += torch.eye(len(convolution.weight))
    decoder.conv_in.weight[carriers], decoder.conv_in.bias[carriers] = 0, 0
    decoder.conv_out.weight.mul_(0.1)
    decoder.conv_out.bias.zero_()
    scale = loud * (2 / size) ** 0.5
    for colour in range(3):
        x = size * colour
        mean = code.back[:, colour].mean((1, 2))
        for place, sign in ((x, 1), (x + 1, -1)):
            decoder.conv_in.weight[place, :, 1, 1] = sign * mean
            decoder.conv_in.bias[place] = sign * code.mean[colour].mean()
            decoder.conv_out.weight[:, place] = 0
            decoder.conv_out.weight[colour, place, 1, 1] = sign * scale
        decoder.conv_in.bias[x + 2], decoder.conv_in.bias[x + 3] = loud, -loud
        decoder.conv_out.weight[:, x + 2 : x + 4] = 0
