"""The style chips: which styles are on, apart from the prompt."""

from __future__ import annotations

from core.recipe import StyleUse
from core.spec import Style
from tests.support.fakes import make_spec
from ui.styles import known, shown, switched

SPEC = make_spec(styles=(Style("oil", "Oil", "an oil painting, thick"), Style("odd", '<b>"Odd"', '"quoted" & <odd>')))
OIL = StyleUse(id="oil", text="an oil painting, thick")
ODD = StyleUse(id="odd", text='"quoted" & <odd>')
OTHER = StyleUse(id="other", text="of another model")


def test_a_style_is_switched_on_once_behind_the_others_and_off_again() -> None:
    assert switched(SPEC, (), "oil", on=True) == (OIL,)
    assert switched(SPEC, (ODD,), "oil", on=True) == (ODD, OIL)
    assert switched(SPEC, (OIL, ODD), "oil", on=True) == (ODD, OIL)
    assert switched(SPEC, (OIL, ODD), "oil", on=False) == (ODD,)


def test_a_style_that_the_backend_does_not_have_is_not_switched_on() -> None:
    assert switched(SPEC, (OIL,), "other", on=True) == (OIL,)


def test_another_backend_keeps_the_styles_that_it_has() -> None:
    assert known(SPEC, (OTHER, ODD)) == (ODD,)
    assert known(make_spec(), (OTHER, ODD)) == ()


def test_a_chip_says_whether_it_is_on_and_shows_names_as_text() -> None:
    words = shown(SPEC, (ODD,))["value"]
    assert 'data-id="oil" title="an oil painting, thick" aria-pressed="false">Oil<' in words
    assert 'title="&quot;quoted&quot; &amp; &lt;odd&gt;" aria-pressed="true">&lt;b&gt;&quot;Odd&quot;<' in words
