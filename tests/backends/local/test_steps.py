"""Step callbacks: progress a step behind the device, previews by another thread, silence after a failure."""

from __future__ import annotations

import io
import threading
from contextlib import suppress

import pytest
from PIL import Image

from backends.local.load_errors import Stopped
from core.events import Progress
from tests.backends.local.fake_device import TOTAL, Device, Run

EARLIER = (b"the first picture's", b"the second's")


def test_a_synchronous_device_has_each_step_reported_at_once() -> None:
    run = Run(None)
    with run.progress:
        for step in range(TOTAL):
            run.step(step)
            assert run.numbers == list(range(1, step + 2))
    assert {event.total for event in run.reported} == {TOTAL}


def test_an_asynchronous_device_has_each_step_reported_when_the_next_is_queued() -> None:
    run = Run(Device())
    with run.progress:
        for step in range(TOTAL):
            run.step(step)
            assert run.numbers == list(range(1, step + 1))
    assert run.numbers == list(range(1, TOTAL + 1))


def test_where_steps_are_cached_the_device_may_lag_further_behind() -> None:
    run = Run(Device(), lag=3)
    with run.progress:
        for step in range(TOTAL):
            run.step(step)
            assert run.numbers == list(range(1, step - 1))
    assert run.numbers == list(range(1, TOTAL + 1))


def test_the_device_is_waited_for_once_a_step_and_always_has_the_next() -> None:
    device = Device()
    Run(device).all()
    rest = [each for step in range(1, TOTAL) for each in (("recorded", step), ("waited", step - 1))]
    assert device.log == [("recorded", 0), *rest, ("waited", TOTAL - 1)]


def test_no_step_is_reported_before_the_device_has_finished_it() -> None:
    device = Device()
    waited: list[int] = []
    Run(device, report=lambda _: waited.append(sum(what == "waited" for what, _ in device.log))).all()
    assert waited == list(range(1, TOTAL + 1))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_steps_of_a_later_batch_are_counted_on(asynchronous: bool) -> None:
    run = Run(Device() if asynchronous else None, index=1, count=3)
    run.all()
    assert run.numbers == list(range(TOTAL + 1, 2 * TOTAL + 1))
    assert {event.total for event in run.reported} == {3 * TOTAL}


@pytest.mark.parametrize("asynchronous", [False, True])
def test_raising_from_the_report_stops_the_run_and_nothing_is_reported_after(asynchronous: bool) -> None:
    reported: list[int] = []

    def stop_at_three(event: Progress) -> None:
        reported.append(event.step)
        if event.step == 3:
            raise Stopped

    run = Run(Device() if asynchronous else None, report=stop_at_three)
    with pytest.raises(Stopped):
        run.all()
    assert reported == [1, 2, 3]


def test_raising_from_the_last_steps_report_is_not_lost() -> None:
    def stop_at_last(event: Progress) -> None:
        if event.step == TOTAL:
            raise Stopped

    with pytest.raises(Stopped):
        Run(Device(), report=stop_at_last).all()


def test_the_queued_steps_of_a_failed_run_are_not_reported() -> None:
    device = Device()
    run = Run(device)
    with pytest.raises(MemoryError):
        run.all(breaks_after=2)
    assert run.numbers == [1]
    assert ("waited", 1) not in device.log


@pytest.mark.parametrize("breaks_after", [2, TOTAL, None])
def test_a_run_leaves_no_thread_behind(breaks_after: int | None) -> None:
    run = Run(Device(), draws=True)
    with suppress(MemoryError):
        run.all(breaks_after)
    assert not any(thread.name.startswith("preview") for thread in threading.enumerate())


@pytest.mark.parametrize("asynchronous", [False, True])
def test_previews_show_where_the_run_will_end(asynchronous: bool) -> None:
    run = Run(Device() if asynchronous else None, draws=True)
    run.all()
    assert len(run.shown) == TOTAL - 1 if not asynchronous else run.shown  # one point makes no line
    for (jpeg,) in run.shown:
        colour = Image.open(io.BytesIO(jpeg)).getpixel((4, 4))
        assert colour == pytest.approx((64, 64, 64), abs=3)
    assert run.previews.latest == run.shown[-1]


def test_on_a_synchronous_device_previews_are_drawn_by_the_runs_own_thread() -> None:
    run = Run(None, draws=True)
    run.all()
    assert run.drawers == {threading.current_thread().name}
    assert run.numbers == list(range(1, TOTAL + 1))


def test_on_an_asynchronous_device_previews_are_drawn_by_another_thread() -> None:
    run = Run(Device(), draws=True)
    run.all()
    (name,) = run.drawers
    assert name.startswith("preview")
    assert [event.step for event in run.reported if not event.preview] == list(range(1, TOTAL + 1))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_previews_of_earlier_batches_come_first(asynchronous: bool) -> None:
    run = Run(Device() if asynchronous else None, draws=True, earlier=EARLIER, index=2, count=3)
    assert run.previews.latest == EARLIER
    run.all()
    assert run.shown
    for each in run.shown:
        assert each[:2] == EARLIER
        assert len(each) == 3
    assert run.previews.latest == run.shown[-1]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_without_a_previewer_nothing_is_drawn_and_earlier_previews_stay(asynchronous: bool) -> None:
    run = Run(Device() if asynchronous else None, earlier=EARLIER)
    run.all()
    assert run.shown == []
    assert run.drawers == set()
    assert run.previews.latest == EARLIER


def test_a_drawing_that_takes_long_holds_up_no_step() -> None:
    free = threading.Event()
    run = Run(Device(), draws=True, hold=free)
    with run.progress:
        for step in range(TOTAL):
            run.step(step)
        assert run.numbers == list(range(1, TOTAL))
        free.set()
    assert TOTAL in run.numbers


def test_a_drawing_that_takes_long_never_takes_progress_back() -> None:
    free = threading.Event()
    run = Run(Device(), draws=True, hold=free)
    with run.progress:
        for step in range(TOTAL):
            run.step(step)
        assert run.drawing.wait(60)
        free.set()
    assert run.previews.latest
    assert run.numbers == sorted(run.numbers)
