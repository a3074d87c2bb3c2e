"""What the owner's account holds is the owner's business: a visitor learns that the key works, or does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.requests import Request

from core.errors import KeyRejected, StudioError
from core.job import EVERYONE, VISITOR, Visitor
from core.messages import recorded, say
from engine.engine import Engine
from storage.sqlite.store import Store
from tests.support.fakes import FakeBackend, FakeProvider, make_spec
from ui import actions
from ui.actions import Actions
from ui.session import Session


class Account(FakeProvider):
    """A provider that has $5.00 for the owner and $1.25 for whoever pastes `good`."""

    def __init__(self) -> None:
        super().__init__(key_env="PAID_KEY")
        self.asked: list[str | None] = []
        self.broken: StudioError | None = None

    async def balance(self, key: str | None = None) -> float:
        """Return what an account has left."""
        self.asked.append(key)
        if self.broken is not None:
            raise self.broken
        if key not in (None, "good"):
            raise KeyRejected("recorded", what="The provider rejected this key.", todo="Paste another.")
        return 5.0 if key is None else 1.25


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[tuple[Actions, Account]]:
    account = Account()
    spec = make_spec("paid", label=recorded("Paid"), key_env="PAID_KEY")
    engine = Engine({"paid": FakeBackend(spec, provider=account)}, Store(tmp_path), 5)
    nothing: Any = None
    yield Actions(engine, nothing, nothing), account
    await engine.close()


async def press(act: Actions, owner: str, pasted: str = "", session: Session | None = None) -> str:
    """Press Check as a browser's fresh tab does; return the note under the key's box."""
    request: Any = Request({"type": "http", VISITOR: Visitor(owner)})
    session = session or Session()
    return str((await act.check(session, "paid", pasted, request))[-1])


async def test_a_visitor_learns_that_the_owners_key_works_and_no_more(page: tuple[Actions, Account]) -> None:
    note = await press(page[0], "ann")
    assert say("ui-owners-key-works").replace("'", "&#x27;") in note
    assert "$" not in note
    assert "5" not in note.replace("&#x27;", "")


@pytest.mark.parametrize(
    "error",
    [KeyRejected("recorded", what="No. $5.00", todo=""), StudioError("recorded", what="Balance: $5.00", todo="")],
)
async def test_a_visitor_learns_that_it_does_not_and_no_more(page: tuple[Actions, Account], error: StudioError) -> None:
    page[1].broken = error
    note = await press(page[0], "ann")
    assert "does not work now" in note
    assert "$" not in note


async def test_visitors_who_press_again_ask_the_provider_nothing(
    page: tuple[Actions, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        await press(page[0], f"visitor {number}")
    assert page[1].asked == [None]
    monkeypatch.setattr(actions, "RECHECK", -1.0)
    await press(page[0], "ann")
    assert page[1].asked == [None, None]


async def test_a_visitors_own_key_has_its_balance_shown(page: tuple[Actions, Account]) -> None:
    assert "$1.25" in await press(page[0], "ann", "good")
    assert "rejected this key" in await press(page[0], "ann", "bad")


async def test_a_key_that_the_tab_has_is_the_one_that_is_asked_about(page: tuple[Actions, Account]) -> None:
    session = Session()
    await press(page[0], "ann", "good", session)
    assert "$1.25" in await press(page[0], "ann", "", session)


async def test_on_a_personal_machine_the_owner_sees_what_is_left(page: tuple[Actions, Account]) -> None:
    assert "$5.00" in await press(page[0], EVERYONE)


async def test_a_pasted_key_is_good_for_every_backend_of_its_provider(tmp_path: Path) -> None:
    account, nothing = Account(), cast(Any, None)
    specs = [make_spec(key, key_env="PAID_KEY") for key in ("paid", "more")] + [make_spec("other", key_env="OTHER_KEY")]
    engine = Engine({spec.key: FakeBackend(spec, provider=account) for spec in specs}, Store(tmp_path), 5)
    session = Session()
    await press(Actions(engine, nothing, nothing), "ann", "good", session)
    assert [session.key(spec) for spec in specs] == ["good", "good", None]
    await engine.close()
