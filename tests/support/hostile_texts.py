"""Texts that are made to keep the parsers of other tools' settings busy, each as long as is read."""

from __future__ import annotations

import json

from core.recipe_files.foreign.bounded_json import MAX_TEXT

PLACES = ("parameters", "prompt", "invokeai_metadata", "Comment", "Dream", "exif:UserComment")
"""Where such a text stands in a file."""


def repeated(text: str, size: int = MAX_TEXT) -> str:
    return (text * (size // len(text) + 1))[:size]


BOMBS = {
    **{f"only {text!r}": repeated(text) for text in (",", '"', "[", " ", "a", "\n", "a\n", "aa:" + " " * 99, 'ab: "')},
    "escapes": '"' + repeated('\\"', MAX_TEXT - 1),
    "settings without end": repeated("Steps: 1, Seed: 2, "),
    "lines of settings": repeated("Steps: 1, a,b\n"),
    "negative prompts": repeated("\nNegative prompt:", MAX_TEXT - 50) + "\nSteps: 1, Seed: 2, Size: 1x1",
    "blank lines": "a\nNegative prompt: " + repeated("\n \n", MAX_TEXT - 90) + "\nSteps: 1, Seed: 2, Size: 1x1",
    "tags": repeated("<lora:", MAX_TEXT - 50) + "\nSteps: 1, Seed: 2, Size: 1x1",
    "tags in JSON": '{"sui_image_params": {"prompt": "' + repeated("<lora:a>", MAX_TEXT - 90) + '"}}',
    "switches": repeated(" -s1"),
    "many lists": '{"a": [' + ",".join(["[]"] * 19_000) + "]}",
    "many values": '{"a": [' + ",".join(["1"] * 59_000) + "]}",
    "many names": '{"sui_image_params": {' + ",".join(f'"{each}": "x"' for each in range(59_000)) + "}}",
    "a long number": '{"seed": ' + "9" * (MAX_TEXT - 20) + "}",
    "a long text": '{"prompt": "' + "[" * (MAX_TEXT - 20) + '"}',
    "escaped text": '{"prompt": "' + "\\ud83d" * 200_000 + '"}',
    "a chain": json.dumps(
        {
            str(each): {
                "class_type": "KSampler",
                "inputs": {
                    "positive": [str(each + 1), 0],
                    "steps": [str(each + 1), 0],
                    "seed": 1,
                    "latent_image": [str(each + 1), 0],
                },
            }
            for each in range(4000)
        }
    ),
    "a knot": json.dumps(
        {
            "k": {"class_type": "KSampler", "inputs": {"positive": ["j", 0], "steps": ["j", 0], "seed": ["j", 0]}},
            "j": {"class_type": "StringConcatenate", "inputs": {"string_a": ["j", 0], "string_b": ["j", 0]}},
            "l": {"class_type": "Odd", "inputs": {str(each): ["l", 0] for each in range(18_000)}},
        }
    ),
}


def texts_of(place: str, text: str) -> dict[str, str]:
    """Return the texts of a file with one of them at a place."""
    return {place: text, "Software": "NovelAI"} if place == "Comment" else {place: text}
