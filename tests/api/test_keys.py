"""Keys to the API: made and shut by a command while the app runs; without one, every guarded route stays shut."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from core.job import Allowance
from core.links import Links
from storage.files.secret import lasting_secret
from tests.support.aimlapi_calls import BODY as AIML_BODY
from tests.support.aimlapi_calls import RUN as AIML_RUN
from tests.support.api_app import AIML, WAVE, ApiApp, api_app
from tests.support.fakes import picture_bytes
from tests.support.key_command import command, issued
from tests.support.wavespeed_calls import BODY, PREDICTIONS, RUN, SYNC, settled, submitted

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parent.parent.parent
BALANCE = "/api/v3/balance"
BILLING = "/v2/billing"

GUARDED: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", AIML_RUN): {"json": AIML_BODY},
    ("POST", "/v1/images/edits"): {"data": {"prompt": "a lake"}, "files": {"image": picture_bytes()}},
    ("GET", BILLING): {},
    ("POST", RUN): {"json": BODY},
    ("POST", f"/api/v3/{AIML}"): {"json": BODY},
    ("GET", f"{PREDICTIONS}/{{prediction_id}}/result"): {},
    ("GET", f"{PREDICTIONS}/{{prediction_id}}"): {},
    ("DELETE", f"{PREDICTIONS}/{{prediction_id}}"): {},
    ("POST", PREDICTIONS): {"json": {}},
    ("POST", f"{PREDICTIONS}/delete"): {"json": {"ids": ["0"]}},
    ("GET", BALANCE): {},
    ("GET", "/api/v3/webhook/secret"): {},
    ("GET", "/api/v3/models"): {},
    ("POST", "/api/v3/model/price"): {"json": {"model_id": WAVE}},
    ("POST", "/api/v3/media/uploads"): {"json": {"filename": "a.png", "size": 9}},
    ("POST", "/api/v3/media/upload/binary"): {"files": {"file": ("a.png", picture_bytes(), "image/png")}},
}
"""Every route that wants a key, with a request that it would take."""
OPEN = {("GET", "/v1/models"), ("GET", "/v1/models/{model}"), ("PUT", "/api/v3/media/uploads/{upload_id}")}
"""The provider's list of models is open to everybody; an upload's address is itself the right to use it."""
DOORS = pytest.mark.parametrize("path", [BALANCE, BILLING])


async def status(at: ApiApp, key: dict[str, str] | None = None, path: str = BALANCE) -> int:
    """Return what a question gets."""
    return (await at.client.get(path, headers=key)).status_code


def everything(folder: Path) -> bytes:
    """Return whatever lies in a folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def modes(folder: Path) -> set[tuple[str, str]]:
    """Return the keys' files and who may use each."""
    return {(path.name, stat.filemode(path.stat().st_mode)) for path in folder.rglob("keys.db*")}


# ---- the command -----------------------------------------------------------------------------------------


async def test_a_new_key_opens_both_doors_at_once(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        _, key = await issued(tmp_path, "render farm")
        assert [await status(at, key, path) for path in (BALANCE, BILLING)] == [200, 200]
        assert [await status(at, None, path) for path in (BALANCE, BILLING)] == [401, 401]
        assert (await at.client.post(RUN, json=SYNC, headers=key)).json()["data"]["status"] == "completed"


async def test_a_revoked_key_is_shut_at_once_and_the_others_are_not(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        (gone, key), (_, other) = await issued(tmp_path, "ann"), await issued(tmp_path, "bob")
        assert await status(at, key) == 200
        assert (await command(tmp_path, "revoke", gone)).returncode == 0
        assert [await status(at, key), await status(at, key, BILLING), await status(at, other)] == [401, 401, 200]


async def test_the_last_keys_end_does_not_open_the_door(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        only, _ = await issued(tmp_path, "ann")
        await command(tmp_path, "revoke", only)
        assert await status(at) == 401


async def test_a_key_is_revoked_once_and_an_unknown_one_never(tmp_path: Path) -> None:
    key, _ = await issued(tmp_path, "ann")
    await command(tmp_path, "revoke", key)
    for each in (key, "fixed", "00000000"):
        done = await command(tmp_path, "revoke", each)
        assert (done.returncode, done.stderr) == (1, f"There is no valid key {each}.\n")


async def test_keys_are_listed_by_id_state_and_name_the_oldest_first(tmp_path: Path) -> None:
    (ann, _), (bob, _) = await issued(tmp_path, "ann"), await issued(tmp_path, "bob's farm")
    await command(tmp_path, "revoke", ann)
    lines = (await command(tmp_path, "list")).stdout.splitlines()
    assert re.fullmatch(rf"{ann}  \d{{4}}-\d\d-\d\d  revoked \d{{4}}-\d\d-\d\d +ann", lines[0])
    assert re.fullmatch(rf"{bob}  \d{{4}}-\d\d-\d\d  valid +bob's farm", lines[1])
    assert len(lines) == 2


async def test_a_keys_letters_are_shown_once_and_lie_nowhere(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        _, key = await issued(tmp_path, "ann")
        assert await status(at, key) == 200
        letters = key["Authorization"].removeprefix("Bearer ")
        assert re.fullmatch(r"srpo_[A-Za-z0-9_-]{43}", letters)
        assert letters not in (await command(tmp_path, "list")).stdout
        # While the app runs: what is in SQLite's log has not reached the file itself yet.
        kept = everything(tmp_path)
        assert hashlib.sha256(letters.encode()).digest() in kept
        assert letters.encode() not in kept
        assert letters.removeprefix("srpo_").encode() not in kept


async def test_the_keys_files_are_the_owners_alone(tmp_path: Path) -> None:
    await issued(tmp_path / "by the command", "ann")
    assert modes(tmp_path / "by the command") == {("keys.db", "-rw-------")}
    async with api_app(tmp_path / "by the app") as at:
        at.key()
        names = ("keys.db", "keys.db-wal", "keys.db-shm")
        assert modes(tmp_path / "by the app") == {(name, "-rw-------") for name in names}


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
@pytest.mark.parametrize("limit", ["--per-minute", "--per-day"])
async def test_a_limit_that_is_no_share_is_refused(tmp_path: Path, limit: str, number: str) -> None:
    done = await command(tmp_path, "new", "ann", f"{limit}={number}")
    # A key without a share is no key, and one whose owner meant a limit must not go without.
    assert done.returncode != 0
    assert done.stdout == ""


async def test_a_folder_that_cannot_be_is_said_in_words(tmp_path: Path) -> None:
    done = await command(tmp_path, "list", STUDIO_DATA_DIR="~nobody-of-this-name/data")
    assert done.returncode == 1
    assert done.stderr.startswith("STUDIO_DATA_DIR is '~nobody-of-this-name/data'")


# ---- the fixed key, and none -------------------------------------------------------------------------------


async def test_the_fixed_key_opens_both_doors_beside_those_that_were_issued(tmp_path: Path) -> None:
    fixed = {"Authorization": "Bearer letters-of-the-owner"}
    async with api_app(tmp_path, api_key=SecretStr("letters-of-the-owner")) as at:
        assert [await status(at, fixed, path) for path in (BALANCE, BILLING)] == [200, 200]
        assert [await status(at, None, path) for path in (BALANCE, BILLING)] == [401, 401]
        assert await status(at, at.key()) == 200
        assert await status(at, {"Authorization": "Bearer letters-of-the-owner-"}) == 401
        assert "fixed" not in (await command(tmp_path, "list")).stdout
        kept = everything(tmp_path)
        assert b"letters-of-the-owner" not in kept


async def test_the_fixed_key_ends_with_its_setting(tmp_path: Path) -> None:
    fixed = {"Authorization": "Bearer letters-of-the-owner"}
    async with api_app(tmp_path, api_key=SecretStr("letters-of-the-owner")) as at:
        at.key()
        assert await status(at, fixed) == 200
    async with api_app(tmp_path) as at:
        assert await status(at, fixed) == 401


@DOORS
async def test_as_long_as_no_key_was_made_the_machines_own_user_comes_in(tmp_path: Path, path: str) -> None:
    async with api_app(tmp_path) as at:
        assert await status(at, None, path) == 200
        # A client that must send something sends something.
        assert await status(at, {"Authorization": "Bearer anything"}, path) == 200


@DOORS
async def test_in_public_nobody_comes_in_until_a_key_was_made(tmp_path: Path, path: str) -> None:
    async with api_app(tmp_path, public_url="https://studio.example") as at:
        for given in (None, {"Authorization": "Bearer anything"}):
            answer = await at.client.get(path, headers=given)
            assert answer.status_code == answer.json().get("code", answer.json().get("statusCode")) == 403
            assert "python app.py keys new" in answer.json()["message"]
        assert await status(at, at.key(), path) == 200
        assert await status(at, None, path) == 401


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_schemes_name_is_read_in_any_case(tmp_path: Path, scheme: str) -> None:
    async with api_app(tmp_path) as at:
        letters = at.key()["Authorization"].removeprefix("Bearer ")
        assert await status(at, {"Authorization": f"{scheme} {letters}"}) == 200


# ---- limits ------------------------------------------------------------------------------------------------


async def test_a_key_has_the_share_that_the_command_gave_it_at_both_doors_together(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        _, key = await issued(tmp_path, "ann", "--per-minute", "2")
        _, other = await issued(tmp_path, "bob")
        first = await at.client.post(RUN, json=BODY, headers=key)
        second = await at.client.post(AIML_RUN, json=AIML_BODY, headers=key)
        assert (first.status_code, second.status_code) == (200, 200)
        for run, body in ((RUN, BODY), (AIML_RUN, AIML_BODY)):
            spent = await at.client.post(run, json=body, headers=key)
            assert spent.status_code == 429
            assert 1 <= int(spent.headers["retry-after"]) <= 60
            assert (await at.client.post(run, json=body, headers=other)).status_code == 200


async def test_a_days_share_says_to_come_tomorrow(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        _, key = await issued(tmp_path, "ann", "--per-day", "1")
        assert (await at.client.post(RUN, json=BODY, headers=key)).status_code == 200
        spent = await at.client.post(RUN, json=BODY, headers=key)
        assert spent.status_code == 429
        assert 80_000 < int(spent.headers["retry-after"]) <= 86_400


async def test_a_key_without_numbers_of_its_own_takes_the_settings(tmp_path: Path) -> None:
    async with api_app(tmp_path, api_allowance=Allowance(per_minute=1)) as at:
        modest, generous = at.key("modest"), at.key("generous", per_minute=3)
        for key, share in ((modest, 1), (generous, 3)):
            statuses = [(await at.client.post(RUN, json=BODY, headers=key)).status_code for _ in range(share + 1)]
            assert statuses == [200] * share + [429]


async def test_a_refused_request_uses_no_share_up(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        key = at.key("ann", per_minute=1)
        for change in ({"strength": 2}, {"image": "data:image/png;base64,AAAA"}, {"prompt": "  "}):
            assert (await at.client.post(RUN, json={**BODY, **change}, headers=key)).status_code == 400
        assert (await at.client.post(RUN, json=BODY, headers=key)).status_code == 200


# ---- every guarded route -----------------------------------------------------------------------------------


async def test_every_route_of_both_doors_is_guarded_or_known_to_be_open(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        described: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
        for schema in ("/v1/openapi.json", "/api/v3/openapi.json"):
            for path, methods in (await at.client.get(schema)).json()["paths"].items():
                for method, facts in methods.items():
                    described["security" in facts].add((method.upper(), path))
    assert described == {True: set(GUARDED), False: OPEN}


@pytest.mark.parametrize(("method", "path"), GUARDED, ids=lambda value: value)
async def test_a_guarded_route_is_shut_in_its_doors_own_words(tmp_path: Path, method: str, path: str) -> None:
    async with api_app(tmp_path) as at:
        key, revoked = at.key("ann"), at.key("gone")
        letters = key["Authorization"].removeprefix("Bearer ")
        assert at.own_api.ring.revoke(at.own_api.ring.all()[1].id)
        address = path.replace("{prediction_id}", await submitted(at, key))
        strangers: dict[str, dict[str, Any]] = {
            "no key": {},
            "a wrong key": {"Authorization": "Bearer srpo_" + "x" * 43},
            "a revoked key": revoked,
            "another scheme": {"Authorization": f"Basic {letters}"},
            "no scheme": {"Authorization": letters},
            "no letters": {"Authorization": "Bearer "},
            "the right letters and more": {"Authorization": f"Bearer {letters}x"},
            "letters of no alphabet": {"Authorization": b"Bearer \xff\x80"},
        }
        for who, headers in strangers.items():
            answer = await at.client.request(method, address, headers=headers, **GUARDED[method, path])
            assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer"), who
            body = answer.json()
            if path.startswith("/api/v3"):
                assert (list(body), body["code"], body["data"]) == (["code", "message", "data"], 401, None), who
            else:
                assert list(body) == ["message", "path", "requestId", "statusCode", "timestamp"], who
                assert body["statusCode"] == 401, who
            assert letters not in answer.text
        answer = await at.client.request(method, address, headers=key, **GUARDED[method, path])
        assert answer.status_code == 200, "and the right key opens it"


@pytest.mark.parametrize("ending", ["", "/result"])
async def test_another_keys_prediction_is_not_there(tmp_path: Path, ending: str) -> None:
    async with api_app(tmp_path) as at:
        ann, bob = at.key("ann"), at.key("bob")
        task = await submitted(at, ann)
        await settled(at, task, ann)
        answer = await at.client.get(f"{PREDICTIONS}/{task}{ending}", headers=bob)
        never = await at.client.get(f"{PREDICTIONS}/{'0' * 32}{ending}", headers=bob)
        assert answer.status_code == 404
        assert answer.json() == never.json(), "whether somebody else has it is not told"


async def test_what_a_key_ran_is_not_the_pages_and_the_pages_is_not_a_keys(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        before = await submitted(at)  # as the machine's own user, before any key was made
        await settled(at, before)
        key = at.key()
        task = await submitted(at, key)
        await settled(at, task, key)
        assert (await at.client.get(f"{PREDICTIONS}/{before}", headers=key)).status_code == 404
        assert [job.id for job in await at.engine.history("local")] == [before]


async def test_a_result_is_shut_when_its_link_has_ended_whoever_asks(tmp_path: Path) -> None:
    async with api_app(tmp_path) as at:
        key = at.key()
        (output,) = (await settled(at, await submitted(at, key), key))["outputs"]
        ended = Links(lasting_secret(tmp_path)).sign(httpx.URL(output).path, 1_600_000_000)
        assert (await at.client.get(ended, headers=key)).status_code == 403
        assert (await at.client.get(output)).status_code == 200
