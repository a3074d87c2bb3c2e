"""What a person reads when ZeroGPU gives no GPU, or takes it away: the quota that is left, and no markup."""

from __future__ import annotations

import pytest

from backends.local.zero_gpu import ZeroGpu
from core.errors import BackendUnavailable, RunFailed, StudioError
from tests.backends.local.stand_in_gpu import SPEC, Gpu, Paced
from tests.support.fakes import make_request

QUOTA = "You have exceeded your free ZeroGPU quota (60s requested vs. 12s left). Try again in 3:20:00. "


def refused(error: Exception, *, later: bool = False) -> StudioError:
    """Return what becomes of what the package raises: in place of GPU time, or after the first event."""
    gpu = Gpu(broken=error) if later else Gpu(refusal=error)
    with pytest.raises(StudioError) as told:
        ZeroGpu(Paced(), gpu, gpu.as_visitor).work(make_request(SPEC), False, lambda _: None)
    assert told.value.__cause__ is error
    return told.value


def package_error(title: str, message: str, **more: bool) -> Exception:
    """Return an error as the package makes it."""
    error: Exception = pytest.importorskip("spaces.zero.gradio").error(title, message, **more)
    return error


def test_a_used_up_quota_is_told_with_what_is_left_and_when_it_is_renewed() -> None:
    told = refused(package_error("ZeroGPU quota exceeded", QUOTA))
    assert type(told) is BackendUnavailable
    assert told.what == f"ZeroGPU quota exceeded: {QUOTA.strip()}"
    assert "Sign in" in told.todo


def test_a_run_that_was_cut_is_a_failed_run_which_smaller_ones_avoid() -> None:
    told = refused(package_error("ZeroGPU worker error", "GPU task aborted"), later=True)
    assert type(told) is RunFailed
    assert "GPU task aborted" in told.what
    assert "fewer steps" in told.todo


@pytest.mark.parametrize("error", [RuntimeError("/secret/path"), OSError(2, "No such file", "/dev/x")])
@pytest.mark.parametrize("later", [False, True])
def test_whatever_else_is_raised_is_told_without_its_words(error: Exception, later: bool) -> None:
    told = refused(error, later=later)
    assert isinstance(told, BackendUnavailable | RunFailed)
    assert "GPU" in told.what
    assert "/" not in str(told)


def test_tags_in_a_message_are_taken_out() -> None:
    words = (
        'No GPU was available after 60s. <a style="color: red" href="https://huggingface.co/join">Join</a> <b>us</b>'
    )
    told = refused(package_error("ZeroGPU queue timeout", words, html=True))
    assert told.what == "ZeroGPU queue timeout: No GPU was available after 60s. Join us"


def test_a_message_that_the_package_wrote_twice_is_told_without_markup_of_either_kind() -> None:
    client = pytest.importorskip("spaces.zero.client")
    html, markdown = client._toast_action(
        auth=None,
        supports_html=True,
        pro_message="Retry later",
        unlogged_desc="to get a higher",
        logged_desc="to get the highest",
        ending="priority in ZeroGPU queues",
    )
    message = client.html_string(f"No GPU was available. {html}", f"No GPU was available {markdown}")
    told = refused(package_error("ZeroGPU queue timeout", message, html=True))
    assert "No GPU was available" in told.what
    assert "Create a free account" in told.what
    assert not set("<>[]") & set(told.what)
