"""Neighbours of favourites: valid, all different, repeatable, and each says what it has from whom."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadParameter
from core.evolve import MAX_FAVOURITES, Neighbour, neighbours
from core.messages import Message, render
from core.recipe import MAX_STYLES, Recipe, StyleUse, compose
from core.request import EditRequest
from core.spec import MAX_PROMPT, MAX_SEED, AnyParam, BackendSpec, Choice, Integer, Number
from core.terms import common_params
from tests.support.fakes import make_reference, make_spec
from tests.support.recipes import IMAGES

SPECS = {
    "fake": make_spec(),
    "hosted": make_spec(
        "hosted",
        params=common_params(
            strength=0.8, guidance_scale=3.5, num_inference_steps=28, lowest_seed=1, formats=("jpeg", "png")
        ),
    ),
    "narrow": make_spec(
        "narrow",
        params=(
            Number(name="strength", minimum=0.3, maximum=0.7, default=0.5, step=0.1),
            Integer(name="seed", minimum=5, maximum=MAX_SEED, default=None),
            Choice(name="output_format", choices=("jpeg",), default="jpeg"),
        ),
    ),
}
OIL, INK, NIGHT = (
    StyleUse(id="oil", text="an oil painting"),
    StyleUse(id="ink", text="an ink drawing"),
    StyleUse(id="night", text="at night", weight=0.5),
)
A = Recipe(
    backend="fake",
    prompt="a lake",
    style=(OIL,),
    params={"strength": 0.55, "guidance_scale": 3.5, "num_inference_steps": 28, "num_images": 4},
    seed=7,
    seeds=(7, 8, 9, 10),
    index=1,
)
B = A.model_copy(
    update={
        "prompt": "a street",
        "style": (INK, NIGHT),
        "params": {"strength": 0.8, "guidance_scale": 6},
        "index": None,
    }
)

FAVOURITES = st.lists(
    st.builds(
        Recipe,
        backend=st.sampled_from(sorted(SPECS)),
        prompt=st.sampled_from(["a lake", " a street", "x" * 3000, "y" * 3900]),
        style=st.lists(st.sampled_from([OIL, INK, NIGHT]), max_size=3, unique=True).map(tuple),
        params=st.fixed_dictionaries(
            {},
            optional={
                "strength": st.floats(-1, 2),
                "guidance_scale": st.floats(0, 30),
                "num_inference_steps": st.integers(-5, 99) | st.just("many"),
                "num_images": st.integers(1, 4),
                "output_format": st.sampled_from(["png", "jpeg", "webp"]),
                "enable_safety_checker": st.booleans(),
                "gone": st.text(max_size=3),
            },
        ),
        seed=st.integers(0, MAX_SEED),
        seeds=st.lists(st.integers(0, MAX_SEED), min_size=1, max_size=4).map(tuple),
        index=st.none() | st.integers(0, 5),
        reference=st.none() | IMAGES,
    ),
    min_size=1,
    max_size=MAX_FAVOURITES,
)
SEEDS = st.integers(0, 2**32)


def picture_of(recipe: Recipe) -> tuple[Any, ...]:
    """Return what decides the picture of a recipe."""
    params = {name: value for name, value in recipe.params.items() if name != "num_images"}
    reference = recipe.reference and recipe.reference.digest
    return recipe.backend, recipe.prompt, recipe.style, tuple(sorted(params.items())), recipe.own_seed, reference


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS)
def test_the_same_seed_gives_the_same_neighbours(favourites: list[Recipe], seed: int) -> None:
    assert neighbours(favourites, SPECS, seed) == neighbours(favourites, SPECS, seed)


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS, st.integers(0, 20))
def test_there_are_as_many_as_asked_for_and_no_two_alike(favourites: list[Recipe], seed: int, count: int) -> None:
    found = [picture_of(each.recipe) for each in neighbours(favourites, SPECS, seed, count)]
    assert len(found) == len(set(found)) == count


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS)
def test_none_is_like_a_favourite(favourites: list[Recipe], seed: int) -> None:
    theirs = {picture_of(each) for each in favourites}
    assert not theirs & {picture_of(each.recipe) for each in neighbours(favourites, SPECS, seed)}


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS)
def test_every_neighbour_is_a_request_that_its_backend_takes_as_it_is(favourites: list[Recipe], seed: int) -> None:
    for recipe in (each.recipe for each in neighbours(favourites, SPECS, seed)):
        raw = {**recipe.params, "seed": recipe.seed}
        request = EditRequest.build(SPECS[recipe.backend], recipe.prompt, make_reference(), raw, recipe.style)
        assert request.recipe.params == recipe.params
        assert request.recipe.seeds == recipe.seeds
        assert request.recipe.model == recipe.model
        assert len(recipe.style) <= MAX_STYLES


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS)
def test_each_favourite_is_where_as_many_begin(favourites: list[Recipe], seed: int) -> None:
    found = neighbours(favourites, SPECS, seed)
    expected = [favourites[number % len(favourites)] for number in range(8)]
    assert [each.recipe.reference for each in found] == [each.reference for each in expected]
    assert [each.recipe.backend for each in found] == [each.backend for each in expected]


@settings(deadline=None, max_examples=40)
@given(FAVOURITES, SEEDS)
def test_every_neighbour_has_a_reason_that_can_be_read(favourites: list[Recipe], seed: int) -> None:
    for each in neighbours(favourites, SPECS, seed):
        assert each.reasons
        for reason in each.reasons:
            words = render(reason)
            assert words
            assert "{" not in words


def values(said: Message) -> dict[str, Any]:
    return dict(said.values)


def position(said: Any) -> int:
    assert said.code == "evolve-parent"
    return int(values(said)["position"])


def children(*favourites: Recipe, seeds: int = 40) -> list[Neighbour]:
    """Return the neighbours of many seeds."""
    return [each for seed in range(seeds) for each in neighbours(favourites, SPECS, seed)]


def test_a_nudged_number_says_from_what_to_what() -> None:
    nudged = 0
    for each in children(A):
        for reason in (reason for reason in each.reasons if reason.code == "param-adjusted"):
            said = values(reason)
            if said["label"].code == "param-strength":
                assert said["before"] == "0.55"
                assert float(said["after"]) == each.recipe.params["strength"] != 0.55
                nudged += 1
    assert nudged > 50


def test_what_has_no_reason_is_as_in_the_favourite_where_it_begins() -> None:
    for each in children(A, B):
        start = (A, B)[position(values(each.reasons[0])["parent"])]
        codes = {values(reason)["label"].code for reason in each.reasons if "label" in values(reason)}
        for name in ("strength", "guidance_scale"):
            if f"param-{name.replace('_', '-')}" not in codes:
                assert each.recipe.params[name] == start.params[name]
        said = {reason.code for reason in each.reasons}
        assert (each.recipe.prompt != start.prompt) == ("evolve-prompt" in said)
        assert (each.recipe.style != start.style) == bool(said & {"evolve-style", "evolve-styles"})
        assert (each.recipe.seed != start.own_seed) == bool(said & {"evolve-seed", "evolve-new-seed"})


def test_a_number_of_another_favourite_says_whose_it_is() -> None:
    taken = 0
    for each in children(A, B):
        for reason in (reason for reason in each.reasons if reason.code == "evolve-taken"):
            label, parent = values(reason)["label"].code, (A, B)[position(values(reason)["parent"])]
            name = label.removeprefix("param-").replace("-", "_")
            assert each.recipe.params[name] == parent.params.get(name, 28)
            taken += 1
    assert taken > 50


def test_styles_are_those_of_one_of_another_or_of_both() -> None:
    assert {each.recipe.style for each in children(A, B)} == {
        (OIL,),
        (INK, NIGHT),
        (OIL, INK, NIGHT),
        (INK, NIGHT, OIL),
    }


def test_styles_of_both_are_named_with_both() -> None:
    for each in children(A, B):
        both = [reason for reason in each.reasons if reason.code == "evolve-styles"]
        assert bool(both) == (len(each.recipe.style) == 3)
        if both:
            assert {position(values(both[0])["one"]), position(values(both[0])["other"])} == {0, 1}


def test_styles_of_both_that_are_too_many_stay_apart() -> None:
    many = [StyleUse(id=str(each), text=str(each)) for each in range(10)]
    one, other = (A.model_copy(update={"style": tuple(each)}) for each in (many[:5], many[5:]))
    assert {len(each.recipe.style) for each in children(one, other)} == {5}


def test_words_that_are_too_long_together_stay_apart() -> None:
    long = A.model_copy(update={"prompt": "x" * (MAX_PROMPT - 20), "style": ()})
    styled = A.model_copy(update={"style": (StyleUse(id="long", text="y" * 100),)})
    assert all(len(compose(each.recipe)) <= MAX_PROMPT for each in children(long, styled))


def test_a_favourite_of_styles_alone_never_loses_its_words() -> None:
    wordless = A.model_copy(update={"prompt": ""})
    assert all(compose(each.recipe) for each in children(wordless, A.model_copy(update={"style": ()})))


def test_the_seed_is_a_favourite_s_or_new() -> None:
    found = children(A, B.model_copy(update={"seeds": (55,), "seed": 55}))
    seeds = {each.recipe.seed for each in found}
    assert {8, 55} < seeds
    assert len(seeds) > 50


def test_a_picture_of_a_batch_hands_on_its_own_seed() -> None:
    kept = [each.recipe for each in children(A) if "evolve-new-seed" not in {reason.code for reason in each.reasons}]
    assert {each.seed for each in kept} == {8}


def test_a_neighbour_makes_one_picture() -> None:
    assert {each.recipe.params["num_images"] for each in children(A)} == {1}


def test_rare_settings_stay_as_they_are() -> None:
    rare = A.model_copy(update={"backend": "hosted", "params": {"num_inference_steps": 33}})
    assert {each.recipe.params["num_inference_steps"] for each in children(rare)} == {33}


def test_one_favourite_is_not_named_in_the_reasons() -> None:
    codes = {reason.code for each in children(A) for reason in each.reasons}
    assert codes == {"param-adjusted", "evolve-new-seed"}


def test_the_reasons_of_two_name_them_a_and_b() -> None:
    said = {render(reason) for each in children(A, B) for reason in each.reasons}
    assert {"From A", "From B", "Guidance as B", "Style of A", "Prompt of B", "Styles of A and B"} <= said


def only(*params: AnyParam) -> dict[str, BackendSpec]:
    return {"fake": make_spec(params=params)}


def test_a_spec_without_room_gives_fewer() -> None:
    one_seed = Integer(name="seed", minimum=7, maximum=8, default=None)
    found = neighbours([A], only(one_seed), seed=1)
    assert [each.recipe.seed for each in found] == [7]


def test_a_number_that_cannot_move_stays() -> None:
    fixed = Number(name="strength", minimum=0.5, maximum=0.5, default=0.5)
    seed = Integer(name="seed", minimum=0, maximum=MAX_SEED, default=None)
    found = neighbours([A], only(fixed, seed), seed=1)
    assert {each.recipe.params["strength"] for each in found} == {0.5}
    assert {reason.code for each in found for reason in each.reasons} == {"evolve-new-seed"}


def test_a_setting_that_a_backend_may_leave_out_stays_out() -> None:
    tiles = Integer(name="tiles", minimum=1, maximum=9, default=None)
    seed = Integer(name="seed", minimum=0, maximum=MAX_SEED, default=None)
    assert {"tiles" in each.recipe.params for each in neighbours([A], only(tiles, seed), seed=1)} == {False}


def test_a_seed_below_a_backend_s_lowest_counts_as_the_lowest() -> None:
    hosted = A.model_copy(update={"backend": "hosted", "index": None, "seed": 0, "seeds": (0,)})
    assert all(each.reasons for each in children(hosted))


def test_a_number_at_the_end_of_its_range_moves_inward() -> None:
    ends = [A.with_params(strength=each) for each in (0.0, 1.0)]
    for end in ends:
        moved = {each.recipe.params["strength"] for each in children(end)} - {end.params["strength"]}
        assert moved
        assert all(0 < float(each) < 1 for each in moved)


@pytest.mark.parametrize(
    ("favourites", "field"),
    [
        ([], "favourites"),
        ([A] * 5, "favourites"),
        ([A, A.model_copy(update={"backend": "gone"})], "favourites[1].backend"),
        ([A.model_copy(update={"prompt": " ", "style": ()})], "favourites[0].prompt"),
        ([A, B, A.model_copy(update={"prompt": "x" * 5000})], "favourites[2].prompt"),
    ],
)
def test_favourites_that_cannot_be_evolved_are_refused_at_their_place(favourites: list[Recipe], field: str) -> None:
    with pytest.raises(BadParameter) as refused:
        neighbours(favourites, SPECS, seed=1)
    assert refused.value.field == field
    assert refused.value.todo
