"""Quotas: a share for each visitor, a purse for each day, and words for whoever meets one."""

from __future__ import annotations

import time

import pytest

from core.errors import BudgetSpent, TooManyRequests, TooManyRuns
from core.job import Allowance, Visitor
from core.limits import DAY, Caps
from engine.quotas import FETCHES, KEY_CHECKS, REFERENCES, REQUESTS, Pace, Quotas, Share

ANN, BOB = Visitor("ann", "192.0.2.1"), Visitor("bob", "192.0.2.2")
SHARES = [REQUESTS, REFERENCES, FETCHES, KEY_CHECKS]
FEW = Share(2, 5, 60.0, "limit-requests")


class Clock:
    """A clock that a test turns on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(("caps", "span"), [(Caps(per_minute=3), "minute"), (Caps(per_minute=9, per_day=3), "day")])
def test_a_visitor_has_a_share_and_others_have_their_own(caps: Caps, span: str) -> None:
    limits = Quotas(caps)
    for _ in range(3):
        limits.count(ANN)
    with pytest.raises(TooManyRuns, match=f"Limit reached: 3 runs a {span}.*Try again in") as caught:
        limits.count(ANN)
    assert 1 <= caught.value.wait <= (60 if span == "minute" else DAY)
    limits.count(BOB)


def test_a_new_cookie_gives_no_new_share() -> None:
    limits = Quotas(Caps(per_minute=1))
    limits.count(ANN)
    with pytest.raises(TooManyRuns):
        limits.count(Visitor("another token", ANN.address))


def test_a_refused_run_is_not_counted() -> None:
    limits = Quotas(Caps(per_minute=2, per_day=1))
    limits.count(ANN)
    for _ in range(5):
        with pytest.raises(TooManyRuns, match="a day"):
            limits.count(ANN)


def test_the_owner_of_a_personal_machine_is_not_counted() -> None:
    limits = Quotas(Caps(per_minute=1))
    for _ in range(5):
        limits.count(Visitor())


@pytest.mark.parametrize("share", SHARES, ids=["requests", "references", "fetches", "key checks"])
def test_work_that_is_no_run_has_a_share_too(share: Share, clock: Clock) -> None:
    limits = Quotas(clock=clock)
    for _ in range(int(share.visitor)):
        limits.spend(share, ANN)
    with pytest.raises(
        TooManyRequests, match=rf"Limit reached: {share.visitor:,.0f} .* one visitor\. Try again in"
    ) as caught:
        limits.spend(share, ANN)
    assert 1 <= caught.value.wait <= 60
    limits.spend(share, BOB)
    clock.now += caught.value.wait
    limits.spend(share, ANN)
    clock.now += 60
    for _ in range(int(share.visitor)):
        limits.spend(share, ANN)


@pytest.mark.parametrize("share", SHARES, ids=["requests", "references", "fetches", "key checks"])
def test_new_cookies_come_to_the_end_of_the_addresss_share(share: Share, clock: Clock) -> None:
    limits = Quotas(clock=clock)
    assert share.address > share.visitor, "an office has one address"
    for number in range(int(share.address)):
        limits.spend(share, Visitor(f"cookie {number}", ANN.address))
    with pytest.raises(TooManyRequests, match=f"Limit reached: {share.address:,.0f} .* one network address"):
        limits.spend(share, Visitor("another", ANN.address))


def test_a_caller_without_a_cookie_counts_on_the_address_alone(clock: Clock) -> None:
    limits = Quotas(clock=clock)
    for _ in range(5):
        limits.spend(FEW, Visitor("one owner", ANN.address, passing=True))
    with pytest.raises(TooManyRequests, match="one network address"):
        limits.spend(FEW, Visitor("one owner", ANN.address, passing=True))


def test_what_is_refused_is_not_counted(clock: Clock) -> None:
    limits = Quotas(clock=clock)
    limits.spend(FEW, ANN, 2)
    for _ in range(9):
        with pytest.raises(TooManyRequests):
            limits.spend(FEW, ANN)
    clock.now += 30
    limits.spend(FEW, ANN)


def test_an_amount_above_the_share_fits_when_all_of_it_is_there(clock: Clock) -> None:
    limits = Quotas(clock=clock)
    limits.check_share(FEW, ANN, 1000)
    limits.spend(FEW, ANN)
    with pytest.raises(TooManyRequests, match="in 30 s"):
        limits.check_share(FEW, ANN, 1000)


def test_a_share_that_is_whole_again_is_forgotten(clock: Clock) -> None:
    pace = Pace(clock)
    for number in range(5000):
        pace.add(f"cookie {number}", 1, 60, 60.0)
        clock.now += 0.01
    assert len(pace._whole) < 1500
    assert pace.wait("cookie 4999", 60, 60, 60.0) > 0


def test_the_owner_of_a_personal_machine_has_no_shares() -> None:
    limits = Quotas()
    for _ in range(2000):
        limits.spend(REQUESTS, Visitor())


def test_uploads_are_counted_in_megabytes_an_hour(clock: Clock) -> None:
    limits = Quotas(Caps(uploads_per_hour=50_000_000), clock=clock)
    share = limits.uploads()
    assert share is not None
    for _ in range(5):
        limits.spend(share, ANN, 10)
    with pytest.raises(TooManyRequests, match=r"50 MB of uploads an hour for one .* Try again in 12 min"):
        limits.spend(share, ANN, 10)
    assert Quotas().uploads() is None


def test_a_reference_for_a_run_is_refused_before_it_is_read_where_the_run_would_be() -> None:
    limits = Quotas(Caps(per_minute=1))
    limits.spend_reference(ANN)
    limits.count(ANN)
    with pytest.raises(TooManyRuns):
        limits.spend_reference(ANN)


def test_references_for_runs_that_never_begin_come_to_an_end(clock: Clock) -> None:
    limits = Quotas(Caps(per_minute=1), clock=clock)
    for _ in range(int(REFERENCES.visitor)):
        limits.spend_reference(ANN)
    with pytest.raises(TooManyRequests, match="pictures a minute"):
        limits.spend_reference(ANN)


def test_who_may_run_much_may_have_as_many_references_read(clock: Clock) -> None:
    limits = Quotas(Caps(per_minute=1), clock=clock)
    key = Visitor("key", "key", allowance=Allowance(per_minute=1000))
    free = Visitor("free", "free", allowance=Allowance())
    for _ in range(3000):
        limits.spend_reference(key)
        limits.spend_reference(free)
    with pytest.raises(TooManyRequests):
        limits.spend_reference(key)


def test_the_days_purse_is_for_all() -> None:
    limits = Quotas(Caps(budget=1.0))
    limits.afford(0.25, 0.75)
    with pytest.raises(BudgetSpent, match=r"\(\$1.00\) is used up.*key of your own"):
        limits.afford(0.25, 0.76)
    Quotas(Caps(budget=None)).afford(100.0, 1e9)


def test_a_day_begins_at_midnight_utc() -> None:
    noon = 20_000 * DAY + DAY / 2
    assert Quotas(now=lambda: noon).today() == 20_000 * DAY
    assert 0 <= time.time() - Quotas().today() < DAY


@pytest.mark.parametrize(("wait", "words"), [(5.0, "5 s"), (600.0, "10 min"), (7200.0, "2 h")])
def test_waits_are_said_for_people(wait: float, words: str) -> None:
    from engine.quotas import _in

    assert str(_in(wait)) == words
