"""The account at WaveSpeedAI: its key and money, the pictures and tasks that lie there, and its webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from backends.hosted.provider import HostedProvider
from backends.hosted.refusals import not_sent
from backends.http.answer import NotSent
from backends.http.client import ProviderClient
from backends.wavespeed.answers import KEY_ENV, NAME, read, refusal, signed
from backends.wavespeed.polling import Follower
from backends.wavespeed.uploads import Uploads
from core.provider import Webhook
from core.secrets import revealed
from core.settings import Settings

HOOK_PATH = "/hooks/wavespeed"
"""Where the provider may report that a task has ended."""


class WavespeedProvider(HostedProvider):
    """An account at WaveSpeedAI.

    Args:
        settings: the owner's key, base URL, and what webhooks need.
        client: talks to the provider; None makes one for the settings' base URL.

    Attributes:
        uploads: pictures that lie there.
        tasks: follows tasks until they end.
        hook: the address that a submit names for its webhook, None where the app cannot be reached or has no secret.
    """

    def __init__(self, settings: Settings, client: ProviderClient | None = None) -> None:
        client = client or ProviderClient(settings.wavespeed_base_url)
        super().__init__(NAME, "wavespeed.ai", KEY_ENV, settings.wavespeed_key, client)
        self._secret = revealed(settings.wavespeed_webhook_secret)
        self.uploads = Uploads(client)
        self.tasks = Follower(client)
        self.hook = f"{settings.public_url}{HOOK_PATH}" if settings.public_url and self._secret else None
        self.webhook = Webhook(HOOK_PATH, self._accept)

    async def listed_price(self, model: str) -> Any:
        """Return what the price list gives for a model, None without the owner's key or where nothing is found."""
        if not self._key:
            return None
        body = {"model_id": model, "inputs": {}}
        answer = await self.client.post("/api/v3/model/price", self._key, read=10.0, json=body)
        data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
        # The answer's shape is not documented: the amount is looked for by its usual names.
        found = [data.get(each) for each in ("price", "unit_price")] if isinstance(data, dict) else [data]
        return next((each for each in found if isinstance(each, int | float)), None)

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /api/v3/balance`."""
        key = key or self._key
        try:
            answer = await self.client.get("/api/v3/balance", key, self.client.clock() + 30)
        except NotSent as error:
            raise not_sent(NAME) from error
        data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
        left = data.get("balance") if isinstance(data, dict) else None
        if not isinstance(left, int | float):
            raise refusal(answer, key)
        return float(left)

    def _accept(self, headers: Mapping[str, str], body: bytes, now: float) -> bool:
        """Take a webhook: if it is the provider's, ask for its task at once."""
        if not self._secret or not signed(headers, body, self._secret, now):
            return False
        try:
            task = read(json.loads(body))
        except ValueError:
            return False
        if task is not None:
            self.tasks.call(task.id)
        return True
