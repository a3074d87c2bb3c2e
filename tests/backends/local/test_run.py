"""The contract of image-to-image, on the real pipeline with the mini checkpoint."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from PIL import Image

from backends.local import LocalBackend
from backends.local.framing import Frame
from core.events import Completed, Loading, Progress
from core.imaging.images import read_reference
from core.request import EditRequest
from tests.backends.local.runs import drain
from tests.support.fakes import picture, picture_bytes
from tests.support.words import said

pytestmark = pytest.mark.integration


def request(local: LocalBackend, data: bytes | None = None, prompt: str = "a quiet lake", **raw: Any) -> EditRequest:
    reference = read_reference(data or picture_bytes("PNG", "RGB", (96, 64)))
    return EditRequest.build(local.spec, prompt, reference, {"num_inference_steps": 4, "seed": 7, **raw})


def opened(done: Completed) -> list[Image.Image]:
    return [Image.open(io.BytesIO(each.data)) for each in done.images]


async def test_loading_comes_first_and_then_every_step(local: LocalBackend) -> None:
    events, done = await drain(local, request(local, num_inference_steps=10, strength=0.55))
    steps = [event for event in events if isinstance(event, Progress)]
    assert [event.step for event in steps] == list(range(7))  # 10 - int(10 - 5.5)
    assert {event.total for event in steps} == {6}
    rest = [event for event in events if not isinstance(event, Progress)]
    assert all(isinstance(event, Loading) for event in rest)
    assert rest == events[: len(rest)]
    assert done.cost == 0.0
    assert done.timings["inference"] > 0


async def test_a_preview_comes_with_every_image_of_the_batch(local: LocalBackend) -> None:
    events, _ = await drain(local, request(local, num_images=3, num_inference_steps=6, strength=1.0))
    previews = [event.preview for event in events if isinstance(event, Progress) and event.preview]
    assert previews
    assert all(len(each) == 3 for each in previews)
    assert all(Image.open(io.BytesIO(jpeg)).format == "JPEG" for each in previews for jpeg in each)


async def test_the_same_request_gives_the_same_bytes(local: LocalBackend) -> None:
    first = (await drain(local, request(local)))[1]
    again = (await drain(local, request(local)))[1]
    assert first.images[0].data == again.images[0].data


@pytest.mark.parametrize(
    "change",
    [{"seed": 8}, {"prompt": "a storm"}, {"strength": 0.9}, {"guidance_scale": 9.0}, {"num_inference_steps": 7}],
)
async def test_every_setting_reaches_the_pipeline(local: LocalBackend, change: dict[str, Any]) -> None:
    one = (await drain(local, request(local)))[1]
    other = (await drain(local, request(local, **change)))[1]
    assert one.images[0].data != other.images[0].data


async def test_each_image_of_a_batch_is_recreated_by_its_seed_alone(local: LocalBackend) -> None:
    batch = (await drain(local, request(local, num_images=4, seed=2**31 - 2)))[1]
    assert [each.seed for each in batch.images] == [2**31 - 2, 2**31 - 1, 0, 1]
    for of_batch, each in zip(opened(batch), batch.images, strict=True):
        alone = opened((await drain(local, request(local, seed=each.seed)))[1])[0]
        # A batch's sums are taken in another order: the last bit of a colour may differ.
        apart = [abs(a - b) for a, b in zip(of_batch.tobytes(), alone.tobytes(), strict=True)]
        assert max(apart) <= 1


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (17, 31), (64, 48), (250, 130), (900, 500), (2000, 16)])
async def test_the_result_has_the_references_own_size(local: LocalBackend, size: tuple[int, int]) -> None:
    done = (await drain(local, request(local, picture_bytes("PNG", "RGB", size))))[1]
    assert opened(done)[0].size == size == (done.images[0].width, done.images[0].height)


async def test_a_large_reference_is_worked_smaller_and_says_so(local: LocalBackend) -> None:
    done = (await drain(local, request(local, picture_bytes("PNG", "RGB", (900, 500)))))[1]
    assert any("512×284" in notice for notice in said(done.notices))


@pytest.mark.parametrize(("output_format", "kind"), [("png", "PNG"), ("jpeg", "JPEG")])
async def test_the_file_is_of_the_format_asked_for(local: LocalBackend, output_format: str, kind: str) -> None:
    done = (await drain(local, request(local, output_format=output_format)))[1]
    assert opened(done)[0].format == kind
    assert done.images[0].mime == f"image/{output_format}"


@pytest.mark.parametrize("mode", ["RGBA", "L", "LA", "P", "CMYK", "1", "I;16"])
async def test_any_kind_of_picture_passes(local: LocalBackend, mode: str) -> None:
    data = io.BytesIO()
    source = picture("L").convert("I;16") if mode == "I;16" else picture(mode)
    source.save(data, "TIFF")
    done = (await drain(local, request(local, data.getvalue())))[1]
    assert opened(done)[0].mode == "RGB"


async def test_strength_zero_gives_the_reference_back_without_a_step(local: LocalBackend) -> None:
    asked = request(local, strength=0, num_images=2)
    events, done = await drain(local, asked)
    assert events == []
    assert [each.tobytes() for each in opened(done)] == [asked.image.open().tobytes()] * 2
    assert "returned unchanged" in said(done.notices)[0]


@pytest.mark.parametrize(
    ("strength", "steps", "runs"), [(0.01, 1, 1), (0.01, 50, 1), (1.0, 1, 1), (1.0, 50, 50), (0.9, 40, 36)]
)
async def test_the_steps_that_run_are_those_that_were_announced(
    local: LocalBackend, strength: float, steps: int, runs: int
) -> None:
    asked = request(local, picture_bytes("PNG", "RGB", (32, 32)), strength=strength, num_inference_steps=steps)
    events, _ = await drain(local, asked)
    assert asked.steps_run == runs
    assert max(event.step for event in events if isinstance(event, Progress)) == runs


async def test_a_prompt_that_the_model_cannot_read_to_its_end_is_noticed(local: LocalBackend) -> None:
    done = (await drain(local, request(local, prompt="word " * 400)))[1]
    assert any("first 48 tokens" in notice for notice in said(done.notices))


async def test_prompts_are_not_written_to_the_log(local: LocalBackend, caplog: pytest.LogCaptureFixture) -> None:
    await drain(local, request(local, prompt="a secret plan " * 100))
    assert "secret" not in caplog.text


def test_a_frame_puts_every_pixel_back_where_it_was() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(30):
        source = picture("RGB", (rng.randint(1, 300), rng.randint(1, 300)))
        frame = Frame.around(source, source.size)
        assert frame.image.width % 16 == frame.image.height % 16 == 0
        assert frame.cut(frame.image).tobytes() == source.tobytes()
