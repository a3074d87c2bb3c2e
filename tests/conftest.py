"""What all tests share."""

from __future__ import annotations

import os

# Two workers with two threads each would wait for each other's cores inside every matrix product.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Nothing may be asked of a hub, whatever a test does.
os.environ["HF_HUB_OFFLINE"] = "1"
