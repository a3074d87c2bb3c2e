"""Keep a transformer's file in bfloat16, load it, and print as JSON what either took of main memory at its peak.

Runs in a process of its own, so that nothing else is measured. What is counted is the process's own memory
(`RssAnon`): pages of a mapped file, which count towards `ru_maxrss` too, are the kernel's to take back.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from backends.local.weights import bfloat16_copy, load_transformer


def own_memory() -> int:
    """Return the bytes of this process that lie in no file."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:")) * 1024


class Watch(threading.Thread):
    """Notes the most memory that was taken from its start until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.least = self.most = own_memory()
        self.over = threading.Event()

    def run(self) -> None:
        """Look every few milliseconds: what is held twice is held for longer."""
        while not self.over.wait(0.002):
            self.most = max(self.most, own_memory())

    def stop(self) -> int:
        """Return the bytes that were taken beside those at the start."""
        self.over.set()
        self.join()
        return max(self.most, own_memory()) - self.least


def main() -> None:
    import torch

    small, base, file = map(Path, sys.argv[1:])
    load_transformer(small, None, torch.bfloat16)  # imports what is imported at the first time
    copying = Watch()
    copying.start()
    bfloat16_copy(base, file, base / "copies", lambda _: None)
    copied = copying.stop()
    loading = Watch()
    loading.start()
    kept = load_transformer(base, file, torch.bfloat16)
    loaded = loading.stop()
    print(json.dumps({"copy": copied, "load": loaded, "weights": sum(each.nbytes for each in kept.parameters())}))


if __name__ == "__main__":
    main()
