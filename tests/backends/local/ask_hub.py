"""Try to load models from a hub, each in turn, and print how each ended as a line of JSON.

Runs in a process of its own, since huggingface_hub reads its address when it is imported.
"""

from __future__ import annotations

import json
import sys

from backends.local.choice import ModelChoice
from backends.local.loading import load
from core.errors import StudioError
from core.events import Loading


def main() -> None:
    for line in sys.argv[1:]:
        base, transformer, token = json.loads(line)
        stages: list[Loading] = []
        try:
            model = load(ModelChoice(base, transformer, "cpu", token), stages.append)
            first = next(model.pipe.transformer.parameters()).flatten()[:4].tolist()
            print(json.dumps({"ok": first, "stages": [str(event.stage) for event in stages]}))
        except StudioError as error:
            print(json.dumps({"error": type(error).__name__, "text": str(error)}))


if __name__ == "__main__":
    main()
