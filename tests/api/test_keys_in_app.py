"""Keys in the app as it is started by hand: built by one thread, served by another."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from urllib.error import HTTPError

import pytest

from tests.support.key_command import command, issued
from tests.support.live_app import Served, serve

pytestmark = pytest.mark.integration

QUESTIONS = ["/v2/billing", "/api/v3/balance"]


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("app"), "app.py") as served:
        yield served


def status(app: Served, path: str, headers: dict[str, str] | None = None) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(app.url + path, headers=headers or {}), timeout=120
        ) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


async def test_a_machines_own_user_needs_no_key_until_there_is_one(app: Served) -> None:
    assert [status(app, each) for each in QUESTIONS] == [200, 200]
    key_id, header = await issued(app.data_dir, "designer")
    assert [status(app, each) for each in QUESTIONS] == [401, 401]
    assert [status(app, each, header) for each in QUESTIONS] == [200, 200]
    assert (await command(app.data_dir, "revoke", key_id)).returncode == 0
    assert [status(app, each, header) for each in QUESTIONS] == [401, 401]
