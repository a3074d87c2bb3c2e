"""What the page knows of the backends: their specs, and what changes at them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from typing import Any

from api.studio.views import View, messages, spec_view
from core.errors import KeyRejected, StudioError
from core.job import EVERYONE, Visitor
from core.provider import Price, Provider
from core.styles import presets
from engine.engine import Engine
from engine.quotas import KEY_CHECKS, Quotas

RECHECK = 300.0
"""Seconds for which a provider's price, and the answer about the owner's key, are good."""


class Backends:
    """Tells of the backends, and asks their providers now and then.

    Args:
        engine: has them.
        quotas: counts how often a visitor tries a key.
    """

    def __init__(self, engine: Engine, quotas: Quotas) -> None:
        self._engine = engine
        self._quotas = quotas
        self._presets = presets()
        self._prices: dict[str, Price] = {}
        self._asked: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._status_now: dict[str, View] | None = None
        self._works: dict[Provider, tuple[float, asyncio.Future[bool]]] = {}

    def specs(self) -> list[View]:
        """Return every backend, whole, in the order of the screen."""
        status = self.status()
        return [
            {**spec_view(spec, self._provider_name(key), self._presets), **status[key]}
            for key, spec in self._engine.specs.items()
        ]

    def status(self) -> dict[str, View]:
        """Return what changes at each backend, by key; worked out once for all streams that wake together."""
        if self._status_now is None:
            self._status_now = {key: self._status(key) for key in self._engine.specs}
            asyncio.get_running_loop().call_soon(self._forget_status)
        return self._status_now

    def _forget_status(self) -> None:
        self._status_now = None

    def _status(self, key: str) -> View:
        backend = self._engine.backend(key)
        reason, price = backend.ready(None), self._price(key)
        return {
            "ready": None if reason is None else reason.as_json(),
            "words": messages(backend.status()),
            "price": asdict(price),
            "pace": {
                level: {name: round(value, 4) for name, value in asdict(pace).items()}
                for level, pace in self._engine.pace(key).items()
            },
        }

    def _provider_name(self, key: str) -> str | None:
        provider = self._engine.backend(key).provider
        return None if provider is None else provider.name

    def _price(self, key: str) -> Price:
        """Return the price as it is known now, and ask for a newer one beside."""
        asked = self._asked.get(key)
        if asked is None or time.monotonic() - asked[0] > RECHECK:
            self._asked[key] = time.monotonic(), asyncio.ensure_future(self._ask_price(key))
        return self._prices.get(key, Price(self._engine.specs[key].price))

    async def _ask_price(self, key: str) -> None:
        self._prices[key] = await self._engine.backend(key).price()

    def provider(self, name: str) -> Provider | None:
        """Return a provider by its name, None where there is none."""
        return next((each for each in self._engine.providers if each.name == name), None)

    async def check_key(self, visitor: Visitor, provider: Provider, key: str | None) -> float | None:
        """Return the US dollars left on the account of a key, and go on with what waits for that key.

        What is in the owner's account is shown to the owner alone: None says that the owner's key works.

        Args:
            visitor: who asks.
            provider: whose key.
            key: a visitor's own; None asks about the owner's.

        Raises:
            StudioError: there is no key, it is refused, or the provider does not answer. In the last case it may be
                good, and what waits for it has gone on.
        """
        self._quotas.spend(KEY_CHECKS, visitor)
        reason = provider.ready(key)
        if reason is not None:
            raise KeyRejected(reason, field="key")
        if key is None and visitor.owner != EVERYONE:
            if not await self._owners_key_works(provider):
                raise KeyRejected("ui-owners-key-fails", field="key")
            return None
        try:
            left = await provider.balance(key)
        except KeyRejected:
            raise
        except StudioError:
            self._unlock(visitor, provider, key)
            raise
        self._unlock(visitor, provider, key)
        return left

    def _unlock(self, visitor: Visitor, provider: Provider, key: str | None) -> None:
        if key is not None:
            self._engine.unlock(visitor.owner, provider.key_env, key)

    async def _owners_key_works(self, provider: Provider) -> bool:
        """Return whether the owner's key works. The provider is asked once in a while, whoever presses how often."""
        asked = self._works.get(provider)
        if asked is None or time.monotonic() - asked[0] > RECHECK:
            asked = time.monotonic(), asyncio.ensure_future(_works(provider))
            self._works[provider] = asked
        return await asyncio.shield(asked[1])


async def _works(provider: Provider) -> bool:
    try:
        await provider.balance()
    except StudioError:
        return False
    return True


def changes(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of `now` that are other than in `before`."""
    return {name: value for name, value in now.items() if name not in before or before[name] != value}
