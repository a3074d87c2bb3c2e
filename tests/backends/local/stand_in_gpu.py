"""Stand-ins for `spaces.GPU`, which keep to what the real decorator does: see its `zero/wrappers.py` (0.51).

What goes in and comes out is pickled; GPU time is asked for when the first event is, with the run's own
arguments and as the visitor whose request gradio remembers; closing the generator stops the work.
"""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from backends.local import LocalBackend
from backends.local.choice import choose
from backends.local.model_spec import local_spec
from backends.local.worker import Tell, Worker
from backends.local.zero_gpu import ZeroGpu
from core.events import Completed, Loading, Progress
from core.messages import message
from core.request import EditRequest
from core.settings import Settings
from tests.support.fakes import make_request, results

CHOICE = choose(Settings(), has_cuda=False)
SPEC = local_spec(CHOICE, Settings())
"""Mini, which runs anywhere."""
WAITING = Loading(message("stage-waiting-for-gpu"), 0, 1)

Task = Callable[..., Iterator[Any]]

CONTEXT = multiprocessing.get_context("fork")
END = "the end"


def ask(**raw: Any) -> EditRequest:
    """Return two images of four steps each."""
    return make_request(SPEC, **{"num_inference_steps": 4, "strength": 1.0, "seed": 7, "num_images": 2, **raw})


class Gpu:
    """Runs the work in this process.

    Args:
        refusal: raised in place of giving GPU time; None gives it.
        broken: raised after the first event, as when the GPU's process breaks off; None never.

    Attributes:
        asked: the seconds that were asked for, run by run.
        tokens: on whose quota, likewise.
        closed: runs that ended before their last event.
    """

    def __init__(self, refusal: Exception | None = None, broken: Exception | None = None) -> None:
        self.asked: list[float] = []
        self.tokens: list[str] = []
        self.closed = 0
        self._refusal = refusal
        self._broken = broken
        self._visitor = ""

    def __call__(self, *, duration: Callable[..., float]) -> Callable[[Task], Task]:
        """Return the decorator."""

        def decorate(task: Task) -> Task:
            def run(*args: Any) -> Iterator[Any]:
                self.asked.append(duration(*args))
                self.tokens.append(self._visitor)
                if self._refusal is not None:
                    raise self._refusal
                try:
                    for event in self._events(task, args):
                        yield event
                        if self._broken is not None:
                            raise self._broken
                except GeneratorExit:
                    self.closed += 1
                    raise

            return run

        return decorate

    @contextmanager
    def as_visitor(self, token: str) -> Iterator[None]:
        """While this lasts, GPU time is asked for as a visitor."""
        self._visitor = token
        try:
            yield
        finally:
            self._visitor = ""

    def _events(self, task: Task, args: tuple[Any, ...]) -> Iterator[Any]:
        events = task(*sent(args))
        try:
            for event in events:
                yield sent(event)
        finally:
            events.close()  # type: ignore[attr-defined]  # a generator


class ForkedGpu(Gpu):
    """Runs the work in a process of its own, which sees everything as it was when that began."""

    def _events(self, task: Task, args: tuple[Any, ...]) -> Iterator[Any]:
        here, there = CONTEXT.Pipe()
        stop = CONTEXT.Event()
        process = CONTEXT.Process(target=_forked, args=(there, stop, task), daemon=True)
        process.start()
        there.close()
        here.send(args)
        event = None
        try:
            while (event := here.recv()) != END:
                yield event
        finally:
            stop.set()
            while event != END:
                event = here.recv()
            process.join()


def _forked(pipe: Any, stop: Any, task: Task) -> None:
    import torch

    torch.set_num_threads(1)  # a pool of threads does not come along into a fork
    events = task(*pipe.recv())
    for event in events:
        if stop.is_set():
            events.close()  # type: ignore[attr-defined]
            break
        pipe.send(event)
    pipe.send(END)


class OnZero(LocalBackend):
    """A local backend whose first worker is on a ZeroGPU; made at start, where the real one asks for `spaces`."""

    def __init__(self, worker: Worker, gpu: Gpu) -> None:
        super().__init__(Settings(), cuda=0)
        self._workers = [worker]
        self._gpu = gpu

    def prepare(self) -> None:
        """Send runs there from now on."""
        self._zero = ZeroGpu(self._workers[0], self._gpu, self._gpu.as_visitor)


def sent(thing: Any) -> Any:
    """Return what arrives of a thing in another process."""
    return pickle.loads(pickle.dumps(thing))


class Paced(Worker):
    """Says of each run that it took so many seconds."""

    def __init__(self, seconds: float = 10.0) -> None:
        super().__init__(CHOICE, SPEC)
        self.seconds = seconds

    def work(self, request: EditRequest, checked: bool, tell: Tell) -> Completed:
        tell(Progress(0, request.steps_run))
        return Completed(results(request), {"inference": self.seconds})
