"""The request: what is to be done, without whose, where or with which key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from core.errors import BadParameter
from core.images import Reference
from core.spec import MAX_PROMPT, MAX_SEED, BackendSpec, Integer, ParamValue


def steps_run(num_inference_steps: int, strength: float) -> int:
    """Return how many of the steps img2img really runs: `n - int(n - n * strength)`.

    Strength says how far back toward noise the reference is taken, so the schedule is entered late
    (diffusers, `FluxImg2ImgPipeline.get_timesteps`). 40 at 0.9 runs 36; at strength 0 nothing runs.
    """
    n = num_inference_steps
    return n - int(max(n - min(n * strength, n), 0))


def draw_seed(lowest: int = 1, highest: int = MAX_SEED) -> int:
    """Return a fresh seed in `lowest..highest`. Zero is left out by default, because one provider refuses it."""
    return lowest + secrets.randbelow(highest - lowest + 1)


def batch_seeds(seed: int, num_images: int) -> tuple[int, ...]:
    """Return the seeds of a batch, each of which recreates its image alone: seed, seed + 1, ..."""
    return tuple((seed + i) % (MAX_SEED + 1) for i in range(num_images))


@dataclass(frozen=True)
class EditRequest:
    """One edit: a prompt, a reference image, validated parameters. A pure value.

    Attributes:
        prompt: 1..4000 characters, stripped.
        image: the reference, normalised.
        params: values by name as `BackendSpec.validate` returns them, the seed included.
        seeds: the seed of each image of the batch. Where the backend takes one seed for all, they are the same.
    """

    prompt: str
    image: Reference
    params: Mapping[str, ParamValue]
    seeds: tuple[int, ...]

    @classmethod
    def build(cls, spec: BackendSpec, prompt: object, image: Reference, raw: Mapping[str, Any]) -> EditRequest:
        """Check everything against a backend's spec and return the request, its seed drawn if none was given.

        Raises:
            BadParameter: naming the first field that does not fit.
        """
        if not isinstance(prompt, str) or not prompt.strip():
            raise BadParameter("prompt", "The prompt is empty.", "Say what the picture should become.")
        prompt = prompt.strip()
        if any("\ud800" <= letter <= "\udfff" for letter in prompt):
            raise BadParameter("prompt", "The prompt holds half a character.", "Type it anew.")
        if len(prompt) > MAX_PROMPT:
            raise BadParameter(
                "prompt", f"The prompt has {len(prompt)} characters.", f"Shorten it to at most {MAX_PROMPT}."
            )
        params = dict(spec.validate(raw))
        seed = spec.by_name.get("seed")
        if isinstance(seed, Integer) and "seed" not in params:
            params["seed"] = draw_seed(max(1, seed.minimum), seed.maximum)
        count = int(params.get("num_images", 1))
        first = int(params["seed"])
        seeds = batch_seeds(first, count) if spec.seed_per_image else (first,) * count
        return cls(prompt, image, MappingProxyType(params), seeds)

    def number(self, name: str) -> float:
        """Return a parameter as a float."""
        return float(self.params[name])

    def integer(self, name: str) -> int:
        """Return a parameter as an int."""
        return int(self.params[name])

    @property
    def steps_run(self) -> int:
        """The steps that will really run for each image."""
        return steps_run(self.integer("num_inference_steps"), self.number("strength"))
