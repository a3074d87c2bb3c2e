"""A limited number of places, given out round by round between owners.

Turns go round by owner: somebody's hundred requests do not stand before another's one. What can be done together
shares one place.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Turn:
    """Somebody's turn.

    Attributes:
        own: whether the place is theirs to leave; else they share another's.
        shared: how many have their turn in this place.
    """

    own: bool = True
    shared: int = 1


class Turns(Generic[T]):
    """A fair semaphore.

    Args:
        free: places.
        moved: called after each change of the queue; `waiting` says how it stands then.
        mates: which of those that wait behind an item share its place; only the owner's own are asked about, and
            only where nobody else waits.

    Attributes:
        free: places that nobody has.
    """

    def __init__(
        self,
        free: int,
        moved: Callable[[], None] = lambda: None,
        mates: Callable[[T, Sequence[T]], Sequence[T]] = lambda item, behind: (),
    ) -> None:
        self.free = free
        self._moved = moved
        self._mates = mates
        # Each owner's own queue; the owner in front has the next turn, and then goes to the end.
        self._waiting: OrderedDict[str, deque[tuple[T, asyncio.Future[Turn]]]] = OrderedDict()

    def waiting(self) -> list[T]:
        """Return who waits, in the order in which their turns will come."""
        queues = [[item for item, _ in queue] for queue in self._waiting.values()]
        longest = max(map(len, queues), default=0)
        return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]

    async def enter(self, owner: str, item: T) -> Turn:
        """Return when it is the item's turn; leaves the queue when cancelled."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return Turn()
        turn: asyncio.Future[Turn] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append((item, turn))
        self._moved()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                if turn.result().own:
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
            item, turn = queue.popleft()
            mates = self._take_mates(item, queue) if len(self._waiting) == 1 and not turn.cancelled() else []
            self._waiting.move_to_end(owner)
            if not queue:
                del self._waiting[owner]
            if not turn.cancelled():  # else it was cancelled a moment ago and has not left the queue yet
                turn.set_result(Turn(shared=1 + len(mates)))
                for mate in mates:
                    mate.set_result(Turn(own=False, shared=1 + len(mates)))
                self._moved()
                return
        self.free += 1

    def _take_mates(self, item: T, queue: deque[tuple[T, asyncio.Future[Turn]]]) -> list[asyncio.Future[Turn]]:
        """Take those out of an owner's queue who share an item's place."""
        behind = {id(each): (each, turn) for each, turn in queue if not turn.cancelled()}
        taken = [behind[id(mate)] for mate in self._mates(item, [each for each, _ in behind.values()])]
        for each in taken:
            queue.remove(each)
        return [turn for _, turn in taken]
