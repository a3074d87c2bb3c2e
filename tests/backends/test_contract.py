"""What every backend keeps, whatever is behind it. A new one adds its line to `CASES` and is held to all of it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from PIL import Image
from pydantic import SecretStr

from backends import all_backends
from backends.aimlapi import AimlapiBackend
from backends.aimlapi.provider import AimlapiProvider
from backends.local import LocalBackend
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.provider import WavespeedProvider
from core.backend import Backend, Resumable
from core.errors import BadParameter
from core.events import Accepted, Completed, Event, Loading, Picture, Progress, Working
from core.messages import in_full
from core.request import EditRequest
from core.settings import Settings
from core.spec import MAX_SEED, Choice, Integer, Number
from core.terms import TERMS
from tests.support.api_server import KEY, api_server
from tests.support.fakes import make_reference, picture_bytes
from tests.support.loopback import serving_beside
from tests.support.providers import aimlapi, wavespeed

pytestmark = pytest.mark.integration


@contextmanager
def local(folder: Path) -> Iterator[Backend]:
    yield LocalBackend(Settings(data_dir=folder), cuda=0)


@contextmanager
def at_aimlapi(folder: Path) -> Iterator[Backend]:
    with serving_beside(aimlapi.Aimlapi().app()) as url:
        yield AimlapiBackend(
            AimlapiProvider(Settings(data_dir=folder, aimlapi_key=SecretStr(aimlapi.KEY), aimlapi_base_url=url))
        )


@contextmanager
def at_wavespeed(folder: Path) -> Iterator[Backend]:
    with serving_beside(wavespeed.Wavespeed(seconds=0.1).app()) as url:
        yield WavespeedBackend(
            WavespeedProvider(Settings(data_dir=folder, wavespeed_key=SecretStr(wavespeed.KEY), wavespeed_base_url=url))
        )


@contextmanager
def aimlapi_at_home(folder: Path) -> Iterator[Backend]:
    with api_server(folder / "aimlapi at home") as url:
        yield AimlapiBackend(
            AimlapiProvider(Settings(data_dir=folder, aimlapi_key=SecretStr(KEY), aimlapi_base_url=url))
        )


@contextmanager
def wavespeed_at_home(folder: Path) -> Iterator[Backend]:
    with api_server(folder / "wavespeed at home") as url:
        yield WavespeedBackend(
            WavespeedProvider(Settings(data_dir=folder, wavespeed_key=SecretStr(KEY), wavespeed_base_url=url))
        )


CASES: dict[str, Callable[[Path], AbstractContextManager[Backend]]] = {
    "local": local,
    "aimlapi": at_aimlapi,
    "wavespeed": at_wavespeed,
}
AT_HOME: dict[str, Callable[[Path], AbstractContextManager[Backend]]] = {
    "aimlapi at home": aimlapi_at_home,
    "wavespeed at home": wavespeed_at_home,
}
"""The hosted backends once more, each at this app's own API instead of its provider's stand-in."""


@pytest.fixture(params={**CASES, **AT_HOME})
async def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Backend]:
    with {**CASES, **AT_HOME}[request.param](tmp_path_factory.getbasetemp() / "contract") as made:
        yield made
        if made.provider is not None:
            await made.provider.close()


def small(backend: Backend, **raw: object) -> EditRequest:
    steps = backend.spec.by_name.get("num_inference_steps")
    if isinstance(steps, Integer):
        raw = {"num_inference_steps": max(2, steps.minimum), **raw}
    return EditRequest.build(backend.spec, "a quiet lake", make_reference(64, 48), raw)


async def run(backend: Backend, request: EditRequest) -> list[Event]:
    return [event async for event in backend.edit(request)]


def test_every_backend_of_the_registry_is_held_to_the_contract(tmp_path: Path) -> None:
    registered = all_backends(Settings(data_dir=tmp_path))
    assert list(registered) == list(CASES)
    assert [backend.spec.key for backend in registered.values()] == list(registered)


def test_parameters_have_the_fields_terms_and_usable_defaults(backend: Backend) -> None:
    spec = backend.spec
    names = [param.name for param in spec.params]
    assert set(names) <= set(TERMS), "the table of terms comes first"
    assert len(set(names)) == len(names)
    assert {"strength", "seed"} <= set(names)
    defaults = spec.validate({})
    assert spec.validate(defaults) == defaults
    assert all(param.label for param in spec.params)
    seed = spec.by_name["seed"]
    assert isinstance(seed, Integer)
    assert seed.default is None
    assert seed.maximum <= MAX_SEED


def test_parameters_are_their_terms_within_the_terms_range(backend: Backend) -> None:
    for param in backend.spec.params:
        term = TERMS[param.name].param
        assert (type(param), param.label, param.advanced) == (type(term), term.label, term.advanced)
        if isinstance(param, Choice) and isinstance(term, Choice):
            assert set(param.choices) <= set(term.choices)
        if isinstance(param, Number | Integer) and isinstance(term, Number | Integer):
            assert term.minimum <= param.minimum <= param.maximum <= term.maximum


def test_it_is_ready_or_says_what_it_needs(backend: Backend) -> None:
    reason = backend.ready()
    assert reason is None or in_full(reason).endswith(".")
    assert backend.status()


async def test_a_run_ends_with_one_result_in_the_references_size(backend: Backend) -> None:
    request = small(backend, seed=5)
    events = await run(backend, request)
    assert [isinstance(event, Completed) for event in events].index(True) == len(events) - 1
    assert all(isinstance(event, Loading | Progress | Working | Accepted) for event in events[:-1])
    done = events[-1]
    assert isinstance(done, Completed)
    assert [each.seed for each in done.images] == list(request.seeds)
    for each in done.images:
        assert isinstance(each, Picture)
        opened = Image.open(io.BytesIO(each.data))
        assert opened.size == (each.width, each.height) == (64, 48)
        assert Image.MIME[str(opened.format)] == each.mime
    assert done.timings["inference"] >= 0
    assert done.cost is None or done.cost >= 0


async def test_a_batch_has_a_picture_for_each_seed(backend: Backend) -> None:
    if "num_images" not in backend.spec.by_name:
        assert len(small(backend, seed=5).seeds) == 1
        return
    (*_, done) = await run(backend, small(backend, seed=5, num_images=2))
    assert isinstance(done, Completed)
    assert [each.seed for each in done.images] == ([5, 6] if backend.spec.seed_per_image else [5, 5])


async def test_steps_are_told_in_order_where_it_shows_them(backend: Backend) -> None:
    steps = [event.step for event in await run(backend, small(backend, seed=5)) if isinstance(event, Progress)]
    assert steps == sorted(steps)
    assert bool(steps) >= backend.spec.shows_steps


async def test_a_run_that_is_left_stops_and_the_next_one_works(backend: Backend) -> None:
    events = backend.edit(small(backend, seed=5))
    async for _ in events:
        break
    await events.aclose()
    assert isinstance((await run(backend, small(backend, seed=5)))[-1], Completed)


async def test_a_task_that_the_provider_has_is_resumed_by_its_id_alone(backend: Backend) -> None:
    request = small(backend, seed=5)
    first = await run(backend, request)
    ids = {event.place: event.remote_id for event in first if isinstance(event, Accepted)}
    if not ids:  # nobody keeps its tasks, so nothing is told to resume by
        assert not isinstance(backend, Resumable)
        return
    assert isinstance(backend, Resumable)
    again = [event async for event in backend.resume(request, [ids[place] for place in range(len(request.seeds))])]
    done, before = again[-1], first[-1]
    assert isinstance(done, Completed)
    assert isinstance(before, Completed)
    assert done.images == before.images


def test_what_does_not_fit_is_refused_before_any_work(backend: Backend) -> None:
    for name in backend.spec.by_name:
        with pytest.raises(BadParameter) as caught:
            small(backend, **{name: "nonsense"})
        assert caught.value.field == name


async def test_a_tall_reference_comes_back_as_tall(backend: Backend) -> None:
    from core.imaging.images import read_reference

    reference = read_reference(picture_bytes("PNG", "RGB", (33, 90)))
    request = EditRequest.build(backend.spec, "a lake", reference, {"seed": 5})
    (*_, done) = await run(backend, request)
    assert isinstance(done, Completed)
    assert isinstance(done.images[0], Picture)
    assert (done.images[0].width, done.images[0].height) == (33, 90)
