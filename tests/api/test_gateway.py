"""Links to a job's pictures: for how long one is valid, and when the next takes its place."""

from __future__ import annotations

import pytest

from api.gateway import DAY, LINK_PERIOD, link_expiry

CREATED = 1_700_000_000.0


@pytest.mark.parametrize(
    ("age", "periods"),
    [
        (-5.0, 1),  # the clock was set back
        (0.0, 1),
        (6 * DAY - 1, 1),
        (6 * DAY, 2),
        (13 * DAY - 1, 2),
        (13 * DAY, 3),
    ],
)
def test_a_link_stays_the_same_until_a_day_is_left_of_it(age: float, periods: int) -> None:
    assert link_expiry(CREATED, CREATED + age) == CREATED + periods * LINK_PERIOD


def test_a_link_is_valid_for_a_day_to_eight_days() -> None:
    for hours in range(0, 24 * 30, 5):
        now = CREATED + hours * 3600
        assert DAY < link_expiry(CREATED, now) - now <= DAY + LINK_PERIOD, hours
