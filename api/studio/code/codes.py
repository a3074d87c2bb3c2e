"""Which call makes a result again, and the code for it."""

from __future__ import annotations

from collections.abc import Mapping

from api.statuses import Refused
from api.studio.code.curl import curl
from api.studio.code.javascript import javascript
from api.studio.code.parts import Files
from api.studio.code.python import python
from api.studio.views import View
from core.http_call import HttpCall
from core.recipe import Recipe, compose
from engine.engine import Engine

KEY_ENV = "STUDIO_API_KEY"
"""The environment variable of a key of this app's API, as in its documentation."""


class Codes:
    """Writes the code for results.

    Args:
        engine: has the backends.
        models: the backend's key by the name that the API gives a model.
    """

    def __init__(self, engine: Engine, models: Mapping[str, str]) -> None:
        self._engine = engine
        self._models = models

    def view(self, recipe: Recipe, base: str) -> View:
        """Return the code in each language. No key is in it, and no address but the provider's or this app's.

        Args:
            recipe: of one picture.
            base: this app's address, without a slash at its end.

        Raises:
            Refused: the backend is not here any more, or nothing reaches it from outside.
        """
        spec = self._engine.specs.get(recipe.backend)
        if spec is None:
            raise Refused("code-without-backend", status=409, backend=recipe.backend)
        call = self._engine.backend(recipe.backend).http_call(recipe)
        if call is None:
            model = next((name for name, key in self._models.items() if key == recipe.backend), None)
            if model is None:
                raise Refused("code-without-model", status=409, backend=spec.label)
            call = own_call(recipe, base, model)
        files = Files.of(recipe)
        return {"curl": curl(call, files), "python": python(call, files), "javascript": javascript(call, files)}


def own_call(recipe: Recipe, base: str, model: str) -> HttpCall:
    """Return the call of this app's API, in AI/ML API's format, that makes one picture again.

    Args:
        recipe: of the picture.
        base: this app's address.
        model: the API's name for what runs on the backend.

    Raises:
        Refused: the seed is 0, which that format does not have.
    """
    if recipe.seed == 0:
        raise Refused("code-seed-zero", status=409)
    values = {**recipe.params, "num_images": 1, "seed": recipe.seed, "sync_mode": False}
    return HttpCall(
        url=f"{base}/v1/images/generations",
        key_env=KEY_ENV,
        body={"model": model, "prompt": compose(recipe), **values},
        image="image_url",
        result=("data", 0, "url"),
    )
