"""The official clients, pointed at the stand-ins, send what we send, field by field."""

from __future__ import annotations

from pathlib import Path

import wavespeed.api.client
from openai import OpenAI
from pydantic import SecretStr

from backends.aimlapi import AimlapiBackend
from backends.aimlapi.backend import SPEC as AIMLAPI
from backends.aimlapi.provider import AimlapiProvider
from backends.wavespeed import WavespeedBackend
from backends.wavespeed.backend import SPEC as WAVESPEED
from backends.wavespeed.provider import WavespeedProvider
from core.settings import Settings
from tests.support.fakes import make_reference, make_request
from tests.support.loopback import serving_beside
from tests.support.providers import aimlapi
from tests.support.providers import wavespeed as provider


async def test_wavespeeds_client_sends_the_same_submit_and_gets_the_same_picture(tmp_path: Path) -> None:
    stand_in = provider.Wavespeed()
    photo = tmp_path / "photo.png"
    photo.write_bytes(make_reference(64, 48).data)
    with serving_beside(stand_in.app()) as url:
        theirs = wavespeed.api.client.Client(api_key=provider.KEY, base_url=url)
        image = theirs.upload(str(photo))
        output = theirs.run(
            provider.MODEL,
            {
                "prompt": "as a watercolour",
                "image": image,
                "strength": 0.8,
                "num_inference_steps": 28,
                "seed": 11,
                "guidance_scale": 3.5,
                "output_format": "jpeg",
                "enable_base64_output": False,
                "enable_sync_mode": False,
            },
        )
        backend = WavespeedBackend(
            WavespeedProvider(Settings(wavespeed_key=SecretStr(provider.KEY), wavespeed_base_url=url))
        )
        request = make_request(WAVESPEED, "as a watercolour", make_reference(64, 48), seed=11)
        events = [event async for event in backend.edit(request)]
        await backend.provider.close()
    first, second = stand_in.submits
    assert {**first, "image": ""} == {**second, "image": ""}
    pictures = [stand_in.files[name] for name in stand_in.files if name.endswith(".jpeg")]
    assert len(pictures) == 2
    assert pictures[0] == pictures[1] == events[-1].images[0].data  # type: ignore[union-attr]
    assert output["outputs"][0].startswith(url)


async def test_openais_client_sends_the_same_run() -> None:
    stand_in = aimlapi.Aimlapi()
    with serving_beside(stand_in.app()) as url:
        backend = AimlapiBackend(AimlapiProvider(Settings(aimlapi_key=SecretStr(aimlapi.KEY), aimlapi_base_url=url)))
        request = make_request(AIMLAPI, "as a watercolour", make_reference(64, 48), seed=11, num_images=2)
        events = [event async for event in backend.edit(request)]
        await backend.provider.close()
        ours = stand_in.runs[0]
        client = OpenAI(api_key=aimlapi.KEY, base_url=f"{url}/v1", max_retries=0)
        answer = client.images.generate(
            model="flux/srpo/image-to-image",
            prompt="as a watercolour",
            extra_body={
                "image_url": ours["image_url"],
                "strength": 0.95,
                "num_inference_steps": 40,
                "guidance_scale": 4.5,
                "seed": 11,
                "num_images": 2,
                "enable_safety_checker": True,
                "output_format": "jpeg",
                "acceleration": "regular",
                "sync_mode": False,
            },
        )
        client.close()
    assert stand_in.runs[1] == ours
    assert answer.data is not None
    assert len(answer.data) == len(events[-1].images) == 2  # type: ignore[union-attr]
    theirs, mine = (headers for _, path, headers in reversed(stand_in.asked) if path.endswith("generations"))
    assert theirs["authorization"] == mine["authorization"]
    assert theirs["content-type"] == mine["content-type"] == "application/json"
