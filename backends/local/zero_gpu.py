"""ZeroGPU Spaces: each run is sent to a process that has a GPU for so many seconds, on the visitor's own quota.

Facts from the `spaces` package (0.51): the model is placed on "cuda" at start, in the thread that imported
the package, and packed when the app is launched; a decorated generator runs in a forked process, which sees
the model as it was then; what goes in and comes out is pickled; closing the generator stops it at its next
event; whose quota a run counts on, the framework around it must say: see `AsVisitor`.
"""

from __future__ import annotations

import logging
import re
import statistics
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any

from backends.local.load_errors import Stopped
from backends.local.worker import Worker
from core.errors import BackendUnavailable, RunFailed, StudioError
from core.events import Completed, Event, Loading
from core.messages import message
from core.request import EditRequest

log = logging.getLogger(__name__)

FIRST = 60.0
"""Seconds that are asked for before the first run was measured; the package's own default."""
MARGIN = 5.0
"""Seconds beside the steps: text, image encoder and decoder, the way there and back."""
SPARE = 1.3
"""What is asked for over what is expected: a run that goes over is cut."""
MEASURED = 20
"""Runs of which the time per step is the median."""

AsVisitor = Callable[[str], AbstractContextManager[None]]
"""Returns a context in which `spaces` asks for GPU time as a visitor, by their token; empty for the Space itself."""


class ZeroGpu:
    """Runs a worker's requests on ZeroGPU. Made at start, before the app is launched.

    Args:
        worker: whose model is loaded.
        gpu: `spaces.GPU`, or what stands in for it.
        as_visitor: a context in which GPU time is asked for as a visitor.
    """

    def __init__(self, worker: Worker, gpu: Callable[..., Any], as_visitor: AsVisitor) -> None:
        self._worker = worker
        self._as_visitor = as_visitor
        self._pace: deque[float] = deque(maxlen=MEASURED)
        self._there = gpu(duration=self.duration)(self._on_gpu)

    def work(self, request: EditRequest, checked: bool, tell: Callable[[Event], None], token: str = "") -> Completed:
        """As `Worker.work`, on a GPU that is asked for now.

        Args:
            request: with at least one step to run.
            checked: whether the safety checker looks at the pictures.
            tell: gets what happens; raising from it stops the run.
            token: the visitor's, empty for the Space's own account.

        Raises:
            StudioError: the run failed, or no GPU was given; the visitor's quota is told then.
        """
        tell(Loading(message("stage-waiting-for-gpu"), 0, 1))
        with self._as_visitor(token):
            events = self._there(request, checked)
            try:
                for event in events:
                    if isinstance(event, StudioError):
                        raise event
                    if isinstance(event, Completed):
                        self._pace.append(event.timings["inference"] / self._worker.size(request))
                        return event
                    tell(event)
            except (StudioError, Stopped):
                raise
            except Exception as error:
                raise _explained(error) from error
            finally:
                events.close()
        raise RunFailed("zero-gpu-no-result")

    def duration(self, request: EditRequest, checked: bool) -> float:
        """Return the seconds of GPU time to ask for, by the median of earlier runs."""
        if not self._pace:
            return FIRST
        return float(round(MARGIN + SPARE * statistics.median(self._pace) * self._worker.size(request)))

    def _on_gpu(self, request: EditRequest, checked: bool) -> Iterator[Event | StudioError]:
        """Yield what a run tells, and its result or error as the last. In the process that has the GPU."""
        events: SimpleQueue[Event | StudioError | None] = SimpleQueue()
        stop = threading.Event()

        def tell(event: Event) -> None:
            if stop.is_set():
                raise Stopped
            events.put(event)

        def work() -> None:
            try:
                events.put(self._worker.work(request, checked, tell))
            except StudioError as error:
                events.put(error)  # as a value: of an exception only the name comes back
            except Stopped:
                pass
            except Exception:
                log.exception("a run broke on the GPU")  # its words may hold paths: they stay in the log
                events.put(RunFailed("zero-gpu-broke"))
            finally:
                events.put(None)

        thread = threading.Thread(target=work, name="zero")
        thread.start()
        try:
            while (event := events.get()) is not None:
                yield event
        finally:
            stop.set()
            thread.join()


def _explained(error: Exception) -> StudioError:
    """Return what `spaces` says when it gives no GPU; its words hold the quota that is left and when it is renewed."""
    title = str(getattr(error, "title", ""))
    # Its message is HTML, or, as a text, has links in Markdown: both are taken off.
    words = re.sub(r"<[^>]+>", "", str(getattr(error, "message", "")))
    words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words).strip()
    if title == "ZeroGPU worker error":
        return RunFailed("zero-gpu-cut-short", words=words)
    if not words:
        return BackendUnavailable("zero-gpu-refused-silently")
    if not title:
        return BackendUnavailable("zero-gpu-refused-with-words", words=words)
    return BackendUnavailable("zero-gpu-refused", title=title, words=words)


def as_owner(_: str) -> AbstractContextManager[None]:
    """Ask for GPU time on the Space's own account, whoever the visitor is."""
    return nullcontext()


def on_zero_gpu(worker: Worker, as_visitor: AsVisitor) -> ZeroGpu:
    """Return a worker's way to ZeroGPU. To be called in the thread that will load the model, before it is loaded."""
    import spaces

    return ZeroGpu(worker, spaces.GPU, as_visitor)
