"""Runs on mini whose pictures are checked: what is withheld, what is shown before, and who may turn it off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backends.local import LocalBackend
from core.errors import BadParameter, ModelMissing
from core.events import Event, Loading, Picture, Progress
from core.request import EditRequest
from core.result import Missing, Reason
from core.settings import Settings
from tests.backends.local.checked_runs import PUBLIC, ask, withholding_the_brightest
from tests.backends.local.classifier import certain
from tests.backends.local.runs import drain

pytestmark = pytest.mark.integration


def previews(events: list[Event]) -> list[Progress]:
    return [event for event in events if isinstance(event, Progress) and event.preview]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkers")


@pytest.fixture(scope="module")
def always(folder: Path) -> Path:
    """A checker to which every picture is unsafe."""
    return certain(folder / "always", {"normal": 0.01, "nsfw": 0.99})


@pytest.fixture(scope="module")
def strict(folder: Path, always: Path) -> LocalBackend:
    """On a private address, with a checker that lets nothing pass."""
    return LocalBackend(Settings(data_dir=folder, safety_model=str(always)), cuda=0)


@pytest.fixture(scope="module")
def public(folder: Path, always: Path) -> LocalBackend:
    """The same on a public address."""
    return LocalBackend(Settings(data_dir=folder, safety_model=str(always), public_url=PUBLIC), cuda=0)


# ---- runs --------------------------------------------------------------------------------------------


async def test_withheld_pictures_keep_their_places_and_seeds_beside_the_others(
    strict: LocalBackend, tmp_path: Path
) -> None:
    _, plain = await drain(strict, ask(strict, enable_safety_checker=False))
    backend, hidden = withholding_the_brightest(plain, tmp_path)
    events, done = await drain(backend, ask(backend))
    assert [isinstance(each, Missing) for each in done.images] == hidden
    assert [each.seed for each in done.images] == [5, 6, 7]
    assert all(
        each.reason is Reason.NSFW and "safety checker" in str(each.why)
        for each in done.images
        if isinstance(each, Missing)
    )
    shown = [each for each in done.images if isinstance(each, Picture)]
    assert shown == [each for each, withheld in zip(plain.images, hidden, strict=True) if not withheld]
    assert previews(events) == [], "a preview would show what is withheld"


async def test_a_run_of_which_everything_is_withheld_completes(strict: LocalBackend) -> None:
    _, done = await drain(strict, ask(strict, num_images=2))
    assert [type(each) for each in done.images] == [Missing, Missing]
    assert done.timings["inference"] > 0


async def test_the_check_can_be_turned_off_on_a_private_address_and_previews_come_back(strict: LocalBackend) -> None:
    checked, _ = await drain(strict, ask(strict))
    events, done = await drain(strict, ask(strict, enable_safety_checker=False))
    assert all(isinstance(each, Picture) for each in done.images)
    assert previews(events)
    assert not previews(checked)
    steps = [event.step for event in checked if isinstance(event, Progress)]
    assert steps == [event.step for event in events if isinstance(event, Progress)] == [0, 1, 2, 3, 4]


async def test_the_checker_is_loaded_once_and_says_so(folder: Path, always: Path) -> None:
    backend = LocalBackend(Settings(data_dir=folder, safety_model=str(always)), cuda=0)
    stages = []
    for off in (True, False, False):
        events, _ = await drain(backend, ask(backend, num_images=1, enable_safety_checker=not off))
        stages.append([str(event.stage) for event in events if isinstance(event, Loading)])
    assert "safety checker" not in stages[0]
    assert stages[1:] == [["safety checker"], []]


async def test_nobody_turns_the_check_off_on_a_public_address(public: LocalBackend) -> None:
    assert public.ready() is None, "mini needs no licence"
    asked = ask(public)
    turned_off = EditRequest(asked.recipe.with_params(enable_safety_checker=False), asked.image)
    for request in (asked, turned_off):
        events, done = await drain(public, request)
        assert all(isinstance(each, Missing) and each.reason is Reason.NSFW for each in done.images)
        assert not previews(events)
    with pytest.raises(BadParameter, match="enable_safety_checker"):
        ask(public, enable_safety_checker=False)


async def test_a_checker_that_is_not_there_fails_the_run_and_is_looked_for_again(tmp_path: Path) -> None:
    backend = LocalBackend(Settings(data_dir=tmp_path, safety_model=str(tmp_path / "late")), cuda=0)
    told: list[Event] = []

    async def run() -> None:
        async for event in backend.edit(ask(backend)):
            told.append(event)

    with pytest.raises(ModelMissing, match="late"):
        await run()
    assert all(isinstance(event, Loading) for event in told), "no step without the check"
    certain(tmp_path / "late", {"normal": 0.9, "nsfw": 0.1})
    _, done = await drain(backend, ask(backend))
    assert all(isinstance(each, Picture) for each in done.images)


# ---- what is offered ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "offered"),
    [
        ({"safety_model": "me/checker"}, True),
        ({"safety_model": "me/checker", "public_url": PUBLIC}, False),
        ({"safety_model": "me/checker", "server_name": "0.0.0.0"}, False),
        ({}, False),
        ({"public_url": PUBLIC}, False),
    ],
)
def test_a_switch_is_offered_where_there_is_a_checker_and_no_stranger(settings: dict[str, Any], offered: bool) -> None:
    spec = LocalBackend(Settings(**settings), cuda=0).spec
    assert ("enable_safety_checker" in spec.by_name) is offered
    if offered:
        assert spec.validate({})["enable_safety_checker"] is True
