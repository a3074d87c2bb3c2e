"""Who may use this app's own API: whoever holds a key; where none was made, the user of the machine itself."""

from __future__ import annotations

from starlette.requests import Request

from core.job import VISITOR, Allowance, Visitor
from server.keys import KeyRing
from server.statuses import Refused


class Access:
    """Tells who asks.

    Args:
        ring: the keys.
        public: whether strangers can come in; without any key the doors are then shut.
        allowance: runs that a key may start where it has no numbers of its own.
    """

    def __init__(self, ring: KeyRing, *, public: bool, allowance: Allowance) -> None:
        self._ring = ring
        self._public = public
        self._allowance = allowance

    def visitor(self, request: Request) -> Visitor:
        """Return who asks: what a key runs belongs to the key.

        Raises:
            Refused: no key, or one that opens nothing.
        """
        kind, _, letters = request.headers.get("authorization", "").partition(" ")
        if not self._ring.configured():
            if self._public:
                raise Refused(
                    403, "This app's API is shut.", "Its owner opens it with `python -m server.keys new NAME`."
                )
            local: Visitor = request.scope.get(VISITOR, Visitor())
            return local
        key = self._ring.find(letters.strip()) if kind.lower() == "bearer" else None
        if key is None:
            raise Refused(401, "The key is missing or wrong.", "Send `Authorization: Bearer` with a key to this app.")
        allowance = Allowance(key.per_minute or self._allowance.per_minute, key.per_day or self._allowance.per_day)
        return Visitor(f"key {key.id}", f"key {key.id}", allowance=allowance)
