"""Our recipe out of a file's texts: strictly, by whichever program the file was written again."""

from __future__ import annotations

import json

import pytest

from core.recipe_files import xmp
from core.recipe_files.read import MAX_RECIPE, read_own
from tests.core.recipe_files.files import RECIPE

JSON = RECIPE.model_dump_json()
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
OURS = 'xmlns:o="https://github.com/srpo-studio/srpo-studio/ns/recipe/1.0/"'
QUOTED = JSON.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def test_it_is_read_from_pngs_block() -> None:
    assert read_own({"srpo-studio": JSON}) == RECIPE


@pytest.mark.parametrize("key", ["xmp", "xmp:extended"])
@pytest.mark.parametrize(
    "packet",
    [
        f'<rdf:RDF {RDF}><rdf:Description {OURS} o:recipe="{QUOTED}"/></rdf:RDF>',
        f"<rdf:RDF {RDF}><rdf:Description {OURS}><o:recipe>{QUOTED}</o:recipe></rdf:Description></rdf:RDF>",
        f"<rdf:RDF {RDF}><rdf:Description/><rdf:Description {OURS}><o:recipe><![CDATA[{JSON}]]></o:recipe>"
        "</rdf:Description></rdf:RDF>",
        f"<a {RDF}><rdf:RDF><D xmlns='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/></rdf:RDF><rdf:RDF>"
        f"<rdf:Description><recipe {OURS.replace(':o', '')}>{QUOTED}</recipe></rdf:Description></rdf:RDF></a>",
    ],
)
def test_it_is_read_from_xmp_in_every_form_that_programs_give_it(key: str, packet: str) -> None:
    assert read_own({key: packet}) == RECIPE


@pytest.mark.parametrize(
    "packet",
    [
        "",
        "no XML",
        f'<!DOCTYPE a [<!ENTITY e "x">]><rdf:RDF {RDF}><rdf:Description {OURS} o:recipe="{QUOTED}"/></rdf:RDF>',
        f'<rdf:RDF {RDF}><rdf:Description {OURS} o:recipe="{QUOTED}"/>',
        f"<rdf:RDF {RDF}><rdf:Description {OURS}><o:recipe><b>{QUOTED}</b></o:recipe></rdf:Description></rdf:RDF>",
        f"<rdf:RDF {RDF}><b {OURS}><o:recipe>{QUOTED}</o:recipe></b></rdf:RDF>",
        f'<rdf:RDF {RDF}><rdf:Description xmlns:o="urn:other" o:recipe="{QUOTED}"/></rdf:RDF>',
        "<a>" * 200,
    ],
)
def test_other_xmp_has_none(packet: str) -> None:
    assert read_own({"xmp": packet}) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "no JSON",
        JSON[:-1],
        JSON.replace('"seed":7', '"seed":-1'),
        JSON.replace('"a lake', '"\\ud800'),
        JSON[:-1] + ',"new":' + "[" * 100_000 + "]" * 100_000 + "}",
        JSON[:-1] + f',"new":"{"a" * MAX_RECIPE}"}}',
        JSON[:-1] + ',"new":' + "9" * 100_000 + "}",
    ],
)
def test_what_is_no_recipe_is_none(text: str) -> None:
    assert read_own({"srpo-studio": text}) is None


def test_a_damaged_block_gives_way_to_the_next() -> None:
    packet = xmp.packet({xmp.RECIPE: JSON}).decode()
    assert read_own({"srpo-studio": "damaged", "xmp": packet}) == RECIPE


def test_a_recipe_of_a_newer_version_keeps_what_it_brings() -> None:
    newer = json.loads(JSON) | {"version": 2, "depth": [1, {"a": None}]}
    found = read_own({"srpo-studio": json.dumps(newer)})
    assert found is not None
    assert json.loads(found.model_dump_json()) == newer
