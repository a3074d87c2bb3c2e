"""What was read from another tool's file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.messages import Message
from core.spec import ParamValue


class Source(StrEnum):
    """The tool that wrote the settings into a file."""

    A1111 = "a1111"
    """AUTOMATIC1111, and those that write its layout: Forge, SD.Next, Civitai."""
    INVOKEAI = "invokeai"
    COMFYUI = "comfyui"
    FOOOCUS = "fooocus"
    SWARMUI = "swarmui"
    NOVELAI = "novelai"


@dataclass(frozen=True)
class Unmapped:
    """A setting of the file that this app cannot take.

    Attributes:
        name: as the tool calls it, at most 80 characters.
        value: as text, at most 200 characters.
        why: the reason.
    """

    name: str
    value: str
    why: Message


@dataclass(frozen=True)
class Foreign:
    """The settings in a file of another tool, as this app understands them. Its texts are the file's, and only text.

    Attributes:
        source: the tool.
        prompt: at most `MAX_PROMPT` characters, without lone surrogates; None where the file has none that fits.
        params: some of strength, num_inference_steps and guidance_scale, each within the range of `core.terms`.
        seed: 0 to `MAX_SEED`, None where the file has none that fits.
        unmapped: what was left out, in the order of the file, at most `draft.MAX_UNMAPPED`.
    """

    source: Source
    prompt: str | None
    params: dict[str, ParamValue]
    seed: int | None
    unmapped: tuple[Unmapped, ...]
