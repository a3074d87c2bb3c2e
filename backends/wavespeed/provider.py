"""The account at WaveSpeedAI: its key and money, the pictures and tasks that lie there, and its webhook."""

from __future__ import annotations

import json
from collections.abc import Mapping

from backends.hosted.provider import HostedProvider
from backends.hosted.refusals import not_sent
from backends.http.answer import NotSent
from backends.http.client import ProviderClient
from backends.wavespeed.answers import KEY_ENV, NAME, Account, Envelope, Quote, read, refusal, signed
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
        # A stranger has no use for the address of the owner's proxy, which may tell of their network.
        code_url = Settings.wavespeed_base_url if settings.public else client.base_url
        super().__init__(NAME, "wavespeed.ai", KEY_ENV, settings.wavespeed_key, client, code_url)
        self._secret = revealed(settings.wavespeed_webhook_secret)
        self.uploads = Uploads(client)
        self.tasks = Follower(client)
        self.hook = f"{settings.public_url}{HOOK_PATH}" if settings.public_url and self._secret else None
        self.webhook = Webhook(HOOK_PATH, self._accept)

    async def listed_price(self, model: str) -> float | None:
        """Return what the price list gives for a model, None without the owner's key or where nothing is found."""
        if not self._key:
            return None
        body = {"model_id": model, "inputs": {}}
        answer = await self.client.post("/api/v3/model/price", self._key, read=10.0, json=body)
        data = Envelope.of(answer.body).data if answer.ok else None
        quote = Quote.of(data if isinstance(data, dict) else {"price": data})
        return quote.price if quote.price is not None else quote.unit_price

    async def balance(self, key: str | None = None) -> float:
        """Return the dollars left, from `GET /api/v3/balance`."""
        key = key or self._key
        try:
            answer = await self.client.get("/api/v3/balance", key, self.client.clock() + 30)
        except NotSent as error:
            raise not_sent(NAME) from error
        left = Account.of(Envelope.of(answer.body).data).balance if answer.ok else None
        if left is None:
            raise refusal(answer, key)
        return left

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
