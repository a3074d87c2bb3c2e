"""A limited number of places, given out round by round between owners.

Turns go round by owner: somebody's hundred requests do not stand before another's one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Turns(Generic[T]):
    """A fair semaphore.

    Args:
        free: places.
        moved: called after each change of the queue; `waiting` says how it stands then.

    Attributes:
        free: places that nobody has.
    """

    def __init__(self, free: int, moved: Callable[[], None] = lambda: None) -> None:
        self.free = free
        self._moved = moved
        # Each owner's own queue; the owner in front has the next turn, and then goes to the end.
        self._waiting: OrderedDict[str, deque[tuple[T, asyncio.Future[None]]]] = OrderedDict()

    def waiting(self) -> list[T]:
        """Return who waits, in the order in which their turns will come."""
        queues = [[item for item, _ in queue] for queue in self._waiting.values()]
        longest = max(map(len, queues), default=0)
        return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]

    async def enter(self, owner: str, item: T) -> None:
        """Return when it is the item's turn; leaves the queue when cancelled."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((item, turn))
        self._moved()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the turn had come at the very moment of the cancel: pass it on
            elif (item, turn) in self._waiting.get(owner, ()):
                self._waiting[owner].remove((item, turn))
                if not self._waiting[owner]:
                    del self._waiting[owner]
                self._moved()
            raise

    def leave(self) -> None:
        """Give the place to the next one who still wants it."""
        while self._waiting:
            owner, queue = next(iter(self._waiting.items()))
            _, turn = queue.popleft()
            self._waiting.move_to_end(owner)
            if not queue:
                del self._waiting[owner]
            if not turn.cancelled():  # else it was cancelled a moment ago and has not left the queue yet
                turn.set_result(None)
                self._moved()
                return
        self.free += 1
