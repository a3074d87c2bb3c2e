"""What the web server needs so that no stranger can hold it: time limits for whoever sends or reads slowly, and a bound
on connections that makes room for the next one.

Limits on what is sent are in `api.body_limits`; here it is about when. A request whose head and body have come has no
limit here: a run, or a stream of events, goes on as long as its reader reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from dataclasses import dataclass
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.identity import network_of

log = logging.getLogger(__name__)

FILES = 65_536
"""Files that one process may want open at most; more is of no use to it."""
CONNECTIONS = 1000
PER_ADDRESS = 64
KEEP_ALIVE = 20
"""Seconds for which a connection without a request stays open; proxies and browsers use one again in that time."""
HEAD = 32 * 1024
"""Bytes of a request's head."""
UNSENT = 64 * 1024
"""Bytes of an answer that the system holds beside those on their way."""


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """How many connections there may be, and how slow they may be.

    Attributes:
        connections: in all; beyond them the oldest that has not sent its request yet is closed for the next.
        per_address: of one address, an IPv6 one counting as its /64; None where all come from proxies. This machine's
            own addresses have no bound.
        head: seconds from the connection's begin, or a request's first byte, to the end of its head.
        window: seconds in which a body must bring `rate` bytes a second on average, or end.
        rate: bytes a second.
        unread: seconds in which the reader of an answer must take `rate` bytes a second on average, or all that waits.
        linger: seconds for which what a client still sends is thrown away after an answer that did not wait for it:
            were the connection closed at once, the client would lose the answer.
    """

    connections: int = CONNECTIONS
    per_address: int | None = PER_ADDRESS
    head: float = 10.0
    window: float = 30.0
    rate: float = 1000.0
    unread: float = 60.0
    linger: float = 5.0


def raise_file_limit() -> int:
    """Raise the number of files that this process may open as far as it may, and return it."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FILES:
        return FILES
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    with contextlib.suppress(OSError, ValueError):  # some systems have a limit of their own above it
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connection_options(
    files: int = FILES, trusted_proxies: int = 0, limits: ConnectionLimits | None = None
) -> dict[str, Any]:
    """Return the arguments for `uvicorn.Config` that hold strangers off.

    Args:
        files: that this process may open, as `raise_file_limit` returns it.
        trusted_proxies: in front of the app; with any, all connections come from a few addresses.
        limits: None chooses them by the other two.
    """
    limits = limits or ConnectionLimits(
        connections=min(CONNECTIONS, files // 2), per_address=None if trusted_proxies else PER_ADDRESS
    )
    return {
        "http": protocol(limits),
        "ws": "none",
        "backlog": max(16, min(1024, files // 8)),  # so many are accepted before the first of them is looked at
        "h11_max_incomplete_event_size": HEAD,
        "timeout_keep_alive": KEEP_ALIVE,
        "proxy_headers": False,  # `api.identity` reads them, by the owner's setting alone
        "server_header": False,
        "access_log": False,
        "log_config": None,
        "log_level": "warning",
    }


class Census:
    """Counts the open connections of one server."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._all: set[PatientProtocol] = set()
        self._by_address: Counter[str] = Counter()
        self._waiting: dict[PatientProtocol, None] = {}
        """Those whose request has not wholly come, in the order in which they began to wait."""

    def admit(self, connection: PatientProtocol) -> bool:
        """Count a new connection in, if need be in the place of another; return whether there is room for it."""
        most = self._limits.per_address
        if most is not None and connection.network and self._by_address[connection.network] >= most:
            log.warning("an address has as many connections as one may have; the next is refused")
            return False
        if len(self._all) >= self._limits.connections and not self._make_room():
            log.warning("all %d connections are at work; the next is refused", self._limits.connections)
            return False
        self._all.add(connection)
        self._by_address[connection.network] += 1
        return True

    def wait(self, connection: PatientProtocol, *, waiting: bool) -> None:
        """Note whether a connection's request has still to come."""
        if waiting:
            self._waiting.setdefault(connection)
        else:
            self._waiting.pop(connection, None)

    def leave(self, connection: PatientProtocol) -> None:
        """Count a connection out."""
        self._waiting.pop(connection, None)
        if connection in self._all:
            self._all.remove(connection)
            self._by_address[connection.network] -= 1
            if not self._by_address[connection.network]:
                del self._by_address[connection.network]

    def _make_room(self) -> bool:
        """Close the connection that has brought least for the longest time, if any waits; return whether one did."""
        least = min(self._waiting, key=lambda each: each.body_bytes, default=None)
        if least is None:
            return False
        self.leave(least)
        least.drop()
        return True


class PatientProtocol(H11Protocol):
    """uvicorn's protocol with an end to its patience; `protocol` makes a class with limits of it."""

    limits: ConnectionLimits
    census: Census

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.network = ""
        """Whose connection it is; empty for this machine's own."""
        self.body_bytes = 0
        """Of the request that is coming, or came last."""
        self._raw: asyncio.Transport | None = None
        self._lingering = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._window_begin = 0
        self._unread_begin = 0
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or close it at once."""
        self._raw = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        network = network_of(str(peer[0])) if isinstance(peer, tuple) and peer else None
        self.network = "" if network is None or network.startswith("127.") or network == "::/64" else network
        if not self.census.admit(self):
            self.transport = self._raw
            self._raw.abort()
            return
        _notice_slow_readers(self._raw)
        super().connection_made(cast(asyncio.Transport, _Closing(self._raw, self._close)))
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of a connection."""
        self.census.leave(self)
        for name in list(self._timers):
            self._cancel(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._lingering:
            return
        if self.conn.their_state is h11.SEND_BODY:
            self.body_bytes += len(data)
        else:
            self.body_bytes = 0
        super().data_received(data)
        self._watch()

    def eof_received(self) -> None:
        """Close the connection, as the transport does now; what is left to send has its time."""
        if self._lingering:
            self.drop()
        else:
            self._begin_unread()

    def on_response_complete(self) -> None:
        """Go on with the next request; where this one's body still comes, nobody reads it any more."""
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()
        else:
            self.body_bytes = 0
        self._watch()

    def pause_writing(self) -> None:
        """Give a reader who takes nothing some time."""
        super().pause_writing()
        self._begin_unread()

    def resume_writing(self) -> None:
        """Note that the reader takes something."""
        super().resume_writing()
        self._cancel("unread")
        if self._raw is not None and self._raw.is_closing():
            self._begin_unread()  # for the rest

    def shutdown(self) -> None:
        """End when the server does: a request that has not wholly come is not waited for."""
        if self._lingering or self.conn.their_state is h11.SEND_BODY:
            self.drop()
        else:
            super().shutdown()

    def drop(self) -> None:
        """Close the connection at once, whatever is left to send."""
        if self._raw is not None:
            self._raw.abort()

    def _close(self) -> None:
        """Close the connection once all is sent and, for a while, what the client sends is thrown away."""
        if self._raw is None or self._raw.is_closing() or self._lingering:
            return
        if self.conn.their_state is h11.SEND_BODY and self._raw.can_write_eof():
            self._lingering = True
            self.flow.resume_reading()
            self._raw.write_eof()
            self._cancel("window")
            self._start("linger", self.limits.linger)
            return
        self._raw.close()
        self._begin_unread()

    def _watch(self) -> None:
        """Set the time limits that fit what is awaited now."""
        if self._raw is None or self._raw.is_closing() or self._lingering:
            return
        state = self.conn.their_state
        self.census.wait(self, waiting=state in (h11.IDLE, h11.SEND_BODY))
        if state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            self._start("head", self.limits.head)
        else:
            self._cancel("head")
        if state is not h11.SEND_BODY:
            self._cancel("window")
        elif "window" not in self._timers:
            self._begin_window()
        else:
            self._paused = self._paused or self._reading_paused()

    def _begin_window(self) -> None:
        self._window_begin, self._paused = self.body_bytes, self._reading_paused()
        self._start("window", self.limits.window)

    def _begin_unread(self) -> None:
        if "unread" not in self._timers:
            self._unread_begin = self._waiting_to_be_read()
            self._start("unread", self.limits.unread)

    def _waiting_to_be_read(self) -> int:
        return 0 if self._raw is None else self._raw.get_write_buffer_size()

    def _reading_paused(self) -> bool:
        """Return whether it is we who let the client wait."""
        return self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue)

    def _start(self, name: str, seconds: float) -> None:
        """Start a time limit that does not run yet."""
        if name not in self._timers:
            self._timers[name] = self.loop.call_later(seconds, self._expire, name)

    def _cancel(self, name: str) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()

    def _expire(self, name: str) -> None:
        del self._timers[name]
        taken = self._unread_begin - self._waiting_to_be_read()
        if name == "unread" and taken >= self.limits.rate * self.limits.unread:
            self._begin_unread()
            return
        enough = self.body_bytes - self._window_begin >= self.limits.rate * self.limits.window
        if name == "window" and (enough or self._paused or self._reading_paused()):
            self._begin_window()
        else:
            self.drop()


def _notice_slow_readers(transport: asyncio.Transport) -> None:
    """Let a connection take new bytes whenever its reader has taken some.

    Otherwise the system waits until a third of its own buffer is free, a megabyte: a slow reader looks like none.
    """
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    connection = transport.get_extra_info("socket")
    if option is not None and connection is not None:
        with contextlib.suppress(OSError):  # no TCP
            connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT)


class _Closing:
    """A transport that asks how to close; otherwise the one it stands for."""

    def __init__(self, transport: asyncio.Transport, close: Any) -> None:
        self._transport = transport
        self.close = close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def protocol(limits: ConnectionLimits) -> type[H11Protocol]:
    """Return a protocol for one uvicorn server."""
    return type("Protocol", (PatientProtocol,), {"limits": limits, "census": Census(limits)})
