"""What WaveSpeedAI says of money: the price of a run, and what an account has left."""

from __future__ import annotations

from typing import Any

from backends.hosted.refusals import not_sent
from backends.http.answer import NotSent
from backends.http.client import ProviderClient
from backends.wavespeed.answers import NAME, refusal


async def ask_price(client: ProviderClient, model: str, key: str | None) -> Any:
    """Return what the price list gives for a model, None without a key or where nothing is found."""
    if not key:
        return None
    answer = await client.post("/api/v3/model/price", key, read=10.0, json={"model_id": model, "inputs": {}})
    data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
    # The answer's shape is not documented: the amount is looked for by its usual names.
    found = [data.get(each) for each in ("price", "unit_price")] if isinstance(data, dict) else [data]
    return next((each for each in found if isinstance(each, int | float)), None)


async def ask_balance(client: ProviderClient, key: str | None) -> float:
    """Return the dollars left on a key's account.

    Raises:
        StudioError: the provider refuses the key, or does not answer.
    """
    try:
        answer = await client.get("/api/v3/balance", key, client.clock() + 30)
    except NotSent as error:
        raise not_sent(NAME) from error
    data = answer.body.get("data") if answer.ok and isinstance(answer.body, dict) else None
    left = data.get("balance") if isinstance(data, dict) else None
    if not isinstance(left, int | float):
        raise refusal(answer, key)
    return float(left)
