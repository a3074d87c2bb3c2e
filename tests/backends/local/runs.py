"""What the tests of single runs share: the tiny model, requests without a backend, pictures as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from backends.local import LocalBackend
from backends.local.choice import ModelChoice
from backends.local.hardware import Hardware
from backends.local.loading import load
from backends.local.model import Model
from backends.local.model_spec import local_spec
from backends.local.run import Made, edit_images
from core.backend import OWNERS, RunContext
from core.events import Completed, Event, Loading, Progress
from core.imaging.images import read_reference
from core.request import EditRequest
from core.settings import Settings
from tests.support.fakes import picture_bytes

MINI = ModelChoice(None, None, "cpu", None)


def ignore(_: Loading | Progress) -> None: ...


def tiny_model(folder: Path, machine: Hardware | None = None) -> Model:
    """Load the tiny checkpoint on the CPU; `machine` says what that is taken for."""
    return load(ModelChoice(str(folder), None, "cpu", None), ignore, machine=machine)


def asked(
    size: tuple[int, int] = (64, 48), prompt: str = "a quiet lake", data: bytes | None = None, **raw: Any
) -> EditRequest:
    """Return a request of few steps: for the picture file in `data`, else for one of a size."""
    reference = read_reference(data or picture_bytes("PNG", "RGB", size))
    given = {"num_inference_steps": 4, "strength": 1.0, "seed": 7, **raw}
    return EditRequest.build(local_spec(MINI, Settings()), prompt, reference, given)


def made(
    model: Model,
    request: EditRequest,
    tell: Callable[[Loading | Progress], None] = ignore,
    inner: tuple[int, int] | None = None,
) -> Made:
    """Run a request, at the reference's own size if no other is given."""
    return edit_images(model, request, inner or (request.image.width, request.image.height), tell)


def numbers(done: Made) -> npt.NDArray[np.int16]:
    """Return a run's pictures, shape (images, height, width, 3)."""
    return np.stack([np.asarray(each, np.int16) for each in done.pictures])


@contextmanager
def counted(module: Any) -> Iterator[list[str]]:
    """Note each call of a part of a model while this lasts."""
    calls: list[str] = []
    handle = module.register_forward_hook(lambda part, *_: calls.append(type(part).__name__))
    try:
        yield calls
    finally:
        handle.remove()


def velocity(flow: Any, images: int = 2, tokens: int = 12) -> Any:
    """Return what a transformer says to random latents and prompts, the same each time."""
    import torch

    config, seeded = flow.config, torch.Generator("cpu").manual_seed(3)

    def noise(*shape: int) -> Any:
        return torch.randn(images, *shape, generator=seeded).to(flow.dtype)

    with torch.inference_mode():
        return flow(
            hidden_states=noise(tokens, config.in_channels),
            encoder_hidden_states=noise(8, config.joint_attention_dim),
            pooled_projections=noise(config.pooled_projection_dim),
            timestep=torch.full((images,), 0.7),
            guidance=torch.full((images,), 3.5),
            img_ids=torch.zeros(tokens, 3),
            txt_ids=torch.zeros(8, 3),
            return_dict=False,
        )[0].float()


async def drain(
    backend: LocalBackend, request: EditRequest, context: RunContext = OWNERS
) -> tuple[list[Event], Completed]:
    """Run a request to its end; return the events before it and the end."""
    events = [event async for event in backend.edit(request, context)]
    assert isinstance(events[-1], Completed)
    return events[:-1], events[-1]


def short_request(local: LocalBackend) -> EditRequest:
    reference = read_reference(picture_bytes("PNG", "RGB", (64, 64)))
    return EditRequest.build(local.spec, "a lake", reference, {"num_inference_steps": 2, "seed": 3})


@contextmanager
def each_step(hook: Callable[[Any], None]) -> Iterator[None]:
    """Call a hook with the transformer before each step of any model."""
    from diffusers import FluxTransformer2DModel
    from torch.nn.modules.module import register_module_forward_pre_hook

    def before(part: Any, _: Any) -> None:
        if type(part) is FluxTransformer2DModel:
            hook(part)

    handle = register_module_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()


PATIENCE = 60.0
"""Seconds after which a test gives up waiting for a run that should go on at the same time."""
