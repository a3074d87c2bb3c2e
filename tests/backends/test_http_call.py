"""The call of a hosted backend that makes a picture again: what it sends, and which address it names."""

from __future__ import annotations

from typing import Any

import pytest

from backends.aimlapi import AimlapiBackend
from backends.aimlapi.provider import AimlapiProvider
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.backend import Backend
from core.recipe import Recipe
from core.settings import Settings
from tests.support.fakes import FakeBackend, make_request

PROXY = "https://ann:secret@proxy.example/ai"


def backends(**settings: Any) -> list[Backend]:
    own = Settings(aimlapi_base_url=PROXY, wavespeed_base_url=PROXY, **settings)
    return [AimlapiBackend(AimlapiProvider(own)), WavespeedBackend(WavespeedProvider(own))]


def recipe_of(backend: Backend, place: int = 0) -> Recipe:
    recipe = make_request(backend.spec, "a lake", seed=7, num_images=3).recipe
    return recipe.model_copy(update={"seed": recipe.seeds[place], "index": place})


def test_a_batch_of_one_seed_is_asked_for_whole_and_a_picture_with_its_own_seed_alone() -> None:
    whole, alone = (each.http_call(recipe_of(each, 2)) for each in backends())
    assert whole is not None
    assert alone is not None
    assert (whole.body["num_images"], whole.body["seed"], whole.result) == (3, 7, ("data", 2, "url"))
    assert ("num_images" in alone.body, alone.body["seed"], alone.result) == (False, 9, ("data", "outputs", 0))


@pytest.mark.parametrize("place", [0, 1])
def test_the_owners_base_url_stands_in_it_without_its_password(place: int) -> None:
    backend = backends()[place]
    call = backend.http_call(recipe_of(backend))
    assert call is not None
    assert call.url.startswith("https://proxy.example/ai/")
    assert "secret" not in repr(call)


@pytest.mark.parametrize(("place", "host"), [(0, "https://api.aimlapi.com/"), (1, "https://api.wavespeed.ai/")])
def test_strangers_get_the_providers_own_address(place: int, host: str) -> None:
    backend = backends(server_name="0.0.0.0")[place]
    call = backend.http_call(recipe_of(backend))
    assert call is not None
    assert call.url.startswith(host)
    assert "proxy.example" not in repr(call)


def test_a_backend_has_none_by_itself() -> None:
    backend = FakeBackend()
    assert backend.http_call(recipe_of(backend)) is None
