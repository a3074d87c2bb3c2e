"""ZeroGPU's time: how much is asked for, and on whose quota."""

from __future__ import annotations

from typing import Any

import pytest

from backends.local.acceleration import LEVELS
from backends.local.zero_gpu import FIRST, MARGIN, SPARE, ZeroGpu
from core.errors import StudioError
from tests.backends.local.stand_in_gpu import SPEC, Gpu, Paced
from tests.support.fakes import make_reference, make_request
from ui.framework import as_visitor

assert SPEC.working_side is not None
SIDE = SPEC.working_side


class Asked:
    """What is asked for when runs go through a ZeroGPU one after the other."""

    def __init__(self, gpu: Gpu | None = None) -> None:
        self.gpu = gpu or Gpu()
        self.worker = Paced()
        self.zero = ZeroGpu(self.worker, self.gpu, self.gpu.as_visitor)

    def run(self, seconds: float = 10.0, size: tuple[int, int] = (64, 48), **raw: Any) -> float:
        """Run; return the seconds of GPU time that were asked for."""
        self.worker.seconds = seconds
        settings = {"num_inference_steps": 10, "strength": 1.0, "acceleration": "none", **raw}
        self.zero.work(make_request(SPEC, image=make_reference(*size), **settings), False, lambda _: None)
        return self.gpu.asked[-1]


# ---- how much ----------------------------------------------------------------------------------------


def test_the_first_run_asks_for_the_default() -> None:
    assert Asked().run() == FIRST


def test_later_runs_ask_for_what_earlier_ones_took_and_some_to_spare() -> None:
    asked = Asked()
    asked.run(10.0)
    assert asked.run() == round(MARGIN + SPARE * 10)
    for _ in range(3):
        asked.run(30.0)
    assert asked.run() == round(MARGIN + SPARE * 30), "the median of 10, 10, 30, 30 and 30"


def test_one_slow_run_among_many_changes_nothing() -> None:
    asked = Asked()
    for seconds in (10.0, 10.0, 500.0, 10.0):
        asked.run(seconds)
    assert asked.run() == round(MARGIN + SPARE * 10)


@pytest.mark.parametrize(
    ("raw", "times"),
    [
        ({"num_inference_steps": 20}, 2),
        ({"num_inference_steps": 20, "strength": 0.5}, 1),
        ({"num_images": 4}, 4),
        ({"size": (128, 96)}, 4),
    ],
)
def test_it_grows_with_steps_images_and_pixels(raw: dict[str, Any], times: int) -> None:
    asked = Asked()
    asked.run(10.0)
    assert asked.run(**raw) == round(MARGIN + SPARE * 10 * times)


def test_a_failed_run_teaches_nothing() -> None:
    gpu = Gpu(broken=RuntimeError("gone"))
    asked = Asked(gpu)
    for _ in range(2):
        with pytest.raises(StudioError):
            asked.run()
    assert gpu.asked == [FIRST, FIRST]


def test_a_run_after_one_of_a_large_reference_is_not_cut() -> None:
    asked = Asked()
    asked.run(10.0, size=(4 * SIDE, 4 * SIDE))  # which is worked at SIDE
    assert asked.run(size=(SIDE, SIDE)) > 10, "the same work takes the same time"


def test_a_large_reference_asks_for_no_more_than_it_is_worked_at() -> None:
    asked = Asked()
    asked.run(10.0, size=(SIDE, SIDE))
    assert asked.run(size=(4 * SIDE, 4 * SIDE)) == round(MARGIN + SPARE * 10)


def test_a_run_of_all_steps_is_not_cut_after_faster_levels() -> None:
    asked = Asked()
    for _ in range(3):
        asked.run(10.0, num_inference_steps=36, acceleration="high")
    slower = float(1 / LEVELS["high"])
    assert asked.run(num_inference_steps=36, acceleration="none") > 10 * slower


# ---- on whose quota ----------------------------------------------------------------------------------


def test_gpu_time_is_asked_for_with_the_visitors_token() -> None:
    gpu = Gpu()
    zero = ZeroGpu(Paced(), gpu, gpu.as_visitor)
    for token in ("one", "", "two"):
        zero.work(make_request(SPEC), False, lambda _: None, token)
    assert gpu.tokens == ["one", "", "two"]


def test_as_visitor_puts_the_token_where_the_package_reads_it_and_takes_it_back() -> None:
    client = pytest.importorskip("spaces.zero.client")
    from gradio.context import LocalContext

    def told() -> Any:  # as `client.schedule` reads it
        return client._get_headers(LocalContext.request.get(None)).get(client.TOKEN_HEADER.lower())

    before = LocalContext.request.get(None)
    with as_visitor("a-token"):
        assert told() == "a-token"
        with as_visitor(""):
            assert LocalContext.request.get(None) is None
            assert told() is None
        assert told() == "a-token"
    assert LocalContext.request.get(None) is before


def test_an_empty_token_hides_the_request_of_whoever_is_there() -> None:
    from gradio.context import LocalContext

    around = LocalContext.request.set("somebody's")
    try:
        with as_visitor(""):
            assert LocalContext.request.get(None) is None
        with pytest.raises(ZeroDivisionError), as_visitor("a-token"):
            raise ZeroDivisionError
        assert LocalContext.request.get(None) == "somebody's"
    finally:
        LocalContext.request.reset(around)
