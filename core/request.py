"""The request: what is to be done, without whose, where or with which key."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import BadParameter
from core.imaging.images import Reference
from core.recipe import ImageRef, Model, Origin, Recipe, StyleUse, compose, composed
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
    """One edit: a recipe, and its reference image.

    Attributes:
        recipe: validated by a backend's spec.
        image: the reference, normalised.
    """

    recipe: Recipe
    image: Reference

    @classmethod
    def build(
        cls,
        spec: BackendSpec,
        prompt: object,
        image: Reference,
        raw: Mapping[str, Any],
        style: Sequence[StyleUse] = (),
        parent: str | None = None,
    ) -> EditRequest:
        """Check everything against a backend's spec and return the request, its seed drawn if none was given.

        Args:
            spec: the backend's.
            prompt: 1..4000 characters together with the styles.
            image: the reference.
            raw: parameters by name; None or absent means the default.
            style: the styles, in order.
            parent: digest of the result that the reference was made of.

        Raises:
            BadParameter: naming the first field that does not fit.
        """
        words = composed(prompt, style) if isinstance(prompt, str) else ""
        if not isinstance(prompt, str) or not words:
            raise BadParameter("prompt-empty", field="prompt")
        if any("\ud800" <= letter <= "\udfff" for letter in prompt):
            raise BadParameter("prompt-broken", field="prompt")
        if len(words) > MAX_PROMPT:
            raise BadParameter("prompt-too-long", field="prompt", length=len(words), limit=MAX_PROMPT)
        params = dict(spec.validate(raw))
        seed = spec.by_name.get("seed")
        if isinstance(seed, Integer) and "seed" not in params:
            params["seed"] = draw_seed(max(1, seed.minimum), seed.maximum)
        count = int(params.get("num_images", 1))
        first = int(params.pop("seed"))
        recipe = Recipe(
            backend=spec.key,
            model=Model(id=spec.model),
            prompt=prompt.strip(),
            style=tuple(style),
            params=params,
            seed=first,
            seeds=batch_seeds(first, count) if spec.seed_per_image else (first,) * count,
            reference=ImageRef(
                digest=image.digest, mime=image.mime, width=image.width, height=image.height, size=image.size
            ),
            origin=Origin(profile=image.profile or None, dpi=image.dpi or None) if image.profile or image.dpi else None,
            parent=parent,
        )
        return cls(recipe, image)

    @property
    def prompt(self) -> str:
        """The prompt that is sent, 1..4000 characters: a person's words and the styles'."""
        return compose(self.recipe)

    @property
    def params(self) -> dict[str, ParamValue]:
        """Values by name as `BackendSpec.validate` returns them, the seed included."""
        return {**self.recipe.params, "seed": self.recipe.seed}

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each image of the batch. Where the backend takes one seed for all, they are the same."""
        return self.recipe.seeds

    def differs_in_seed(self, other: EditRequest) -> bool:
        """Return whether both make one picture, and differ in nothing but its seed."""
        one_each = len(self.seeds) == len(other.seeds) == 1
        return one_each and self.seeds != other.seeds and _seedless(self.recipe) == _seedless(other.recipe)

    def with_seeds(self, seeds: Sequence[int]) -> EditRequest:
        """Return the request for other pictures: one a seed."""
        params = {**self.recipe.params, "num_images": len(seeds)}
        recipe = self.recipe.model_copy(update={"params": params, "seed": seeds[0], "seeds": tuple(seeds)})
        return EditRequest(recipe, self.image)

    def number(self, name: str) -> float:
        """Return a parameter as a float."""
        return float(self.recipe.params[name])

    def integer(self, name: str) -> int:
        """Return a parameter as an int."""
        return int(self.recipe.params[name])

    @property
    def steps_run(self) -> int:
        """The steps that will really run for each image."""
        return steps_run(self.integer("num_inference_steps"), self.number("strength"))


def _seedless(recipe: Recipe) -> Recipe:
    return recipe.model_copy(update={"seed": 0, "seeds": (0,)})
