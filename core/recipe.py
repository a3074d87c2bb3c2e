"""The recipe: what would repeat a picture, as one value that is written into rows, reports and files.

Its JSON schema is `docs/recipe.schema.json`, made by `python -m core.recipe`. A field that this version does not know
stays where it stood, at every level, so that a recipe of a newer version survives being read and written here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from core.about import VERSION
from core.image_types import SUFFIX
from core.spec import MAX_SEED, ParamValue

FORMAT = 1
"""The version of the JSON. A new optional field does not change it, another meaning of an old one does."""
UNKNOWN = "unknown"
"""The model, or the app's version, of results from before these were recorded."""
MAX_WEIGHT = 2.0
"""The heaviest that a style may be."""

MAX_STYLES = 8
"""Styles in one recipe that is asked for."""

_Param = StrictInt | StrictFloat | StrictStr | StrictBool
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""The SHA-256 of a file's bytes, in hexadecimal."""
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]
Pixels = Annotated[int, Field(ge=0)]


class Value(BaseModel):
    """A frozen value of the recipe, which keeps the fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)


class Model(Value):
    """What made a picture.

    Attributes:
        id: its name on the hub or at its provider, `mini`, or `UNKNOWN`.
        revision: the commit or the fingerprint of what was really loaded; None where a provider does not tell.
    """

    id: str = UNKNOWN
    revision: str | None = None


class ImageRef(Value):
    """A stored image file, by its content.

    Attributes:
        digest: of its bytes.
        mime: such as `image/png`.
        width, height: pixels; 0 where the file cannot be opened here.
        size: bytes.
    """

    digest: Digest
    mime: str
    width: Pixels
    height: Pixels
    size: Annotated[int, Field(ge=0)]

    @property
    def name(self) -> str:
        """The stored file's name."""
        return self.digest + SUFFIX[self.mime]


class Origin(Value):
    """What the file that became the reference said of itself. The reference is sRGB, without a resolution.

    Attributes:
        profile: the name of its ICC profile; None where it had none.
        dpi: its pixels an inch; None where it did not say.
    """

    profile: str | None = None
    dpi: float | None = None


class StyleUse(Value):
    """A style in a recipe. Its text is here, so that a later edit of the style changes no old picture.

    Attributes:
        id: the style's name among those of the app.
        weight: 0 leaves it out; a heavier one comes earlier in the prompt.
        text: what it adds to the prompt.
    """

    id: str
    weight: Annotated[float, Field(ge=0, le=MAX_WEIGHT)] = 1.0
    text: str


class Recipe(Value):
    """What would repeat a picture, or the pictures of one job.

    Attributes:
        version: of this format.
        backend: the backend's key.
        model: what made it, or is to.
        app: the app's version.
        prompt: as a person wrote it, without styles.
        style: the styles, in order.
        params: values by name, without the seed.
        seed: the first of `seeds`.
        seeds: the seed of each image of the job; all the same where a backend takes one for all.
        index: which image of the job this is about, from 0; None for all.
        reference: the normalised reference image.
        origin: what the reference's own file was like; None where nothing is known of that.
        mask: what of the reference may change; None for all.
        parent: digest of the picture that the reference was, where that was a result.
    """

    version: Annotated[int, Field(ge=1)] = FORMAT
    backend: str
    model: Model = Model()
    app: str = VERSION
    prompt: str
    style: tuple[StyleUse, ...] = ()
    params: dict[str, _Param]
    seed: Seed
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)]
    index: Annotated[int, Field(ge=0)] | None = None
    reference: ImageRef | None = None
    origin: Origin | None = None
    mask: ImageRef | None = None
    parent: Digest | None = None

    @property
    def own_seed(self) -> int:
        """The seed of the picture that this is about; of all of a job's, the first."""
        index = self.index
        return self.seeds[index] if index is not None and index < len(self.seeds) else self.seed

    def with_params(self, **params: ParamValue) -> Recipe:
        """Return the recipe with other values of some parameters; the seed is none of them."""
        return self.model_copy(update={"params": {**self.params, **params}})


def compose(recipe: Recipe) -> str:
    """Return the prompt that is sent: the person's own words, then the styles'.

    No text encoder here weighs words by number, so the weights decide the order: the heavier, the earlier.
    """
    return composed(recipe.prompt, recipe.style)


def composed(prompt: str, style: Sequence[StyleUse]) -> str:
    """As `compose`, of a prompt and styles that are no recipe yet."""
    used = sorted((each for each in style if each.weight > 0), key=lambda each: -each.weight)
    return ", ".join(text for text in (prompt.strip(), *(each.text.strip() for each in used)) if text)


def schema() -> dict[str, Any]:
    """Return the JSON schema of a recipe."""
    described = Recipe.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "title": "Recipe"}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
