"""Limits: a share for each visitor, a purse for each day, and words for whoever meets one."""

from __future__ import annotations

import time

import pytest

from core.errors import BudgetSpent, TooManyRuns
from core.job import Visitor
from core.limits import DAY, Caps, Limits

ANN, BOB = Visitor("ann", "192.0.2.1"), Visitor("bob", "192.0.2.2")


@pytest.mark.parametrize(("caps", "span"), [(Caps(per_minute=3), "minute"), (Caps(per_minute=9, per_day=3), "day")])
def test_a_visitor_has_a_share_and_others_have_their_own(caps: Caps, span: str) -> None:
    limits = Limits(caps)
    for _ in range(3):
        limits.count(ANN)
    with pytest.raises(TooManyRuns, match=f"At most 3 runs a {span}.*Run again in") as caught:
        limits.count(ANN)
    assert 1 <= caught.value.wait <= (60 if span == "minute" else DAY)
    limits.count(BOB)


def test_a_new_cookie_gives_no_new_share() -> None:
    limits = Limits(Caps(per_minute=1))
    limits.count(ANN)
    with pytest.raises(TooManyRuns):
        limits.count(Visitor("another token", ANN.address))


def test_a_refused_run_is_not_counted() -> None:
    limits = Limits(Caps(per_minute=2, per_day=1))
    limits.count(ANN)
    for _ in range(5):
        with pytest.raises(TooManyRuns, match="a day"):
            limits.count(ANN)


def test_the_owner_of_a_personal_machine_is_not_counted() -> None:
    limits = Limits(Caps(per_minute=1))
    for _ in range(5):
        limits.count(Visitor())


def test_the_days_purse_is_for_all() -> None:
    limits = Limits(Caps(budget=1.0))
    limits.afford(0.25, 0.75)
    with pytest.raises(BudgetSpent, match=r"pays \$1.00 a day.*key of your own"):
        limits.afford(0.25, 0.76)
    Limits(Caps(budget=None)).afford(100.0, 1e9)


def test_a_day_begins_at_midnight_utc() -> None:
    noon = 20_000 * DAY + DAY / 2
    assert Limits(now=lambda: noon).today() == 20_000 * DAY
    assert 0 <= time.time() - Limits().today() < DAY


@pytest.mark.parametrize(("wait", "words"), [(5.0, "in 5 s"), (600.0, "in 10 min"), (7200.0, "in 2 h")])
def test_waits_are_said_for_people(wait: float, words: str) -> None:
    from core.limits import _in

    assert _in(wait) == words
