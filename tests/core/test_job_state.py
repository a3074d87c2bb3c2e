"""The states of a job: which may follow which, and that an end is one."""

from __future__ import annotations

import pytest

from core.errors import Interrupted, KeyMissing, RunCancelled, RunFailed, StudioError, SubmitUnknown
from core.job_state import IllegalTransition, JobState, advance, end_of

ENDS = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN, JobState.INTERRUPTED)


def test_the_ends_are_terminal_and_the_others_are_not() -> None:
    assert tuple(state for state in JobState if state.terminal) == ENDS


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("to", JobState)
def test_nothing_follows_an_end(end: JobState, to: JobState) -> None:
    with pytest.raises(IllegalTransition, match=f"{end} -> {to}"):
        advance(end, to)


@pytest.mark.parametrize("state", [state for state in JobState if not state.terminal])
def test_no_state_follows_itself_and_each_can_fail(state: JobState) -> None:
    with pytest.raises(IllegalTransition):
        advance(state, state)
    assert advance(state, JobState.FAILED) is JobState.FAILED


@pytest.mark.parametrize("state", [JobState.SUBMITTING, JobState.RUNNING, JobState.DETACHED, JobState.NEEDS_KEY])
def test_what_was_sent_never_waits_for_its_turn_again_and_was_not_interrupted_before_it(state: JobState) -> None:
    for to in (JobState.QUEUED, JobState.INTERRUPTED):
        with pytest.raises(IllegalTransition):
            advance(state, to)


def test_only_a_run_is_done() -> None:
    before = [state for state in JobState if state not in ENDS]
    done = []
    for state in before:
        try:
            advance(state, JobState.DONE)
        except IllegalTransition:
            continue
        done.append(state)
    assert done == [JobState.SUBMITTING, JobState.RUNNING, JobState.DETACHED]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (RunCancelled("recorded", what="It was cancelled.", todo=""), JobState.CANCELLED),
        (SubmitUnknown("recorded", what="The answer is lost.", todo=""), JobState.UNKNOWN),
        (Interrupted("recorded", what="The app was restarted.", todo=""), JobState.INTERRUPTED),
        (RunFailed("recorded", what="It broke.", todo=""), JobState.FAILED),
        (KeyMissing("recorded", what="There is no key.", todo=""), JobState.FAILED),
    ],
)
def test_an_error_ends_a_job_in_the_state_of_its_kind(error: StudioError, state: JobState) -> None:
    assert end_of(error) is state
