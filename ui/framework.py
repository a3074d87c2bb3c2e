"""What the framework keeps or does and nobody here needs, let go: each is small, and a busy day has thousands.

Read off gradio 6.31. All of it is an economy: were a piece of it gone from the next version, only memory and the
processor's work would grow.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

LOOK = 0.02
"""Seconds between the queue's looks for a click; its own thousand a second take a tenth of a small core, for ever."""


class LightSession(SessionState):  # type: ignore[misc] # the framework's types are not told
    """A session without its copy of the whole page, which costs 13 ms and 100 KB and serves deep links alone."""

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks={}))

    def _update_config(self, key: int) -> None:
        pass

    def _update_value_in_config(self, key: int, value: Any) -> None:
        pass


class LightSessions(StateHolder):  # type: ignore[misc] # likewise
    """The framework's sessions, each a light one."""

    def __getitem__(self, session_id: str) -> SessionState:
        """Return a session, made where there is none yet."""
        self.session_data.setdefault(session_id, LightSession(self.blocks))
        return super().__getitem__(session_id)


def lighten(app: Any) -> None:
    """Give an app that is about to start light sessions, and a queue that lets an idle machine rest."""
    if not isinstance(app.state_holder, LightSessions):
        app.state_holder = LightSessions()
        app.state_holder.set_blocks(app.get_blocks())
    queue = app.get_blocks()._queue
    queue.sleep_when_free = LOOK
    queue.progress_update_sleep_when_free = 1.0  # for gr.Progress, which the stage has no use for


def forget_session(demo: gr.Blocks, session_hash: str | None) -> None:
    """Let go of the session of a caller of the API, who has no page to come back to."""
    for held in (demo.state_holder.session_data, demo.state_holder.time_last_used):
        held.pop(str(session_hash), None)


def forget_call(app: Any, event_id: str) -> None:
    """Let go of the line of messages of an API call that was answered."""
    queue = app.get_blocks()._queue
    if queue.pending_event_ids_session.get(event_id) == set():
        del queue.pending_event_ids_session[event_id]
        queue.pending_messages_per_session.pop(event_id, None)


def is_call(app: Any, event_id: str) -> bool:
    """Return whether a call of the API has this id and was not answered yet; the framework breaks over others."""
    queue = app.get_blocks()._queue
    return event_id in queue.event_ids_to_events or any(
        event_id in ids for ids in queue.pending_event_ids_session.values()
    )


def open_calls(app: Any, name: str) -> int:
    """Return how many calls of an API endpoint have come and are not answered yet."""
    events = app.get_blocks()._queue.event_ids_to_events.values()
    return sum(event.fn.api_name == name for event in events)
