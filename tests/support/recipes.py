"""Recipes of any content, for hypothesis."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from core.recipe import ImageRef, Model, Origin, Recipe, StyleUse
from core.spec import MAX_SEED

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=20)
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
SEEDS = st.integers(0, MAX_SEED)
SIZES = st.integers(0, 2**40)
IMAGES = st.builds(
    ImageRef,
    digest=DIGESTS,
    mime=st.sampled_from(["image/png", "image/jpeg", "image/webp"]),
    width=st.integers(0, 65535),
    height=st.integers(0, 65535),
    size=SIZES,
)
PARAMS = st.dictionaries(
    NAMES, st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | WORDS | st.booleans()
)
RECIPES = st.builds(
    Recipe,
    backend=NAMES,
    origin=st.none() | st.builds(Origin, profile=st.none() | WORDS, dpi=st.none() | st.floats(1, 1e5)),
    model=st.builds(Model, id=WORDS, revision=st.none() | WORDS),
    app=WORDS,
    prompt=WORDS,
    style=st.lists(st.builds(StyleUse, id=NAMES, weight=st.floats(0, 2), text=WORDS), max_size=4).map(tuple),
    params=PARAMS,
    seed=SEEDS,
    seeds=st.lists(SEEDS, min_size=1, max_size=4).map(tuple),
    index=st.none() | st.integers(0, 400),
    reference=st.none() | IMAGES,
    mask=st.none() | IMAGES,
    parent=st.none() | DIGESTS,
)
