"""From a spec's parameters to components: the one place that knows which kind becomes which."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from gradio.components import Component

from core.messages import say
from core.spec import AnyParam, BackendSpec, Choice, Integer, Number, Toggle

FEW = 6
"""Whole numbers up to here are chosen from a row, not with a slider."""


def component(param: AnyParam, *, visible: bool = True) -> Component:
    """Return the component for a parameter, set to its default. A seed, which has none, is a number box."""
    common: dict[str, Any] = {
        "label": str(param.label),
        "visible": visible,
        "elem_id": f"param-{param.name}",
        "elem_classes": ["param"],
    }
    value, help_text = param.default, {"info": None if param.help is None else str(param.help)}
    match param:
        case Integer(default=None):
            bounds = {"minimum": param.minimum, "maximum": param.maximum}
            empty = say("ui-seed-random")
            return gr.Number(**common, **bounds, precision=0, placeholder=empty, container=False, show_label=False)
        case Integer() if param.maximum <= FEW:
            numbers = range(param.minimum, param.maximum + 1)
            return gr.Radio([(str(each), each) for each in numbers], value=value, **common, **help_text)
        case Number() | Integer():
            step = param.step if isinstance(param, Number) else 1
            # A reset of its own would be a Tab more on the way to Run.
            return gr.Slider(param.minimum, param.maximum, value, step=step, buttons=[], **common, **help_text)
        case Choice():
            return gr.Radio(list(param.choices), value=value, **common, **help_text)
        case Toggle():
            return gr.Checkbox(value, **common, **help_text)


def end_words(specs: dict[str, BackendSpec]) -> str:
    """Return the style rules that put a parameter's own words at its slider's ends, in place of the numbers."""
    rules: dict[str, str] = {}
    for param in (param for spec in specs.values() for param in spec.params):
        if isinstance(param, Number) and param.low and param.high:
            slider = f"#param-{param.name}"
            rules[param.name] = (
                f"{slider} :is(.min_value, .max_value) {{ font-size: 0; }}"
                f' {slider} .min_value::after {{ content: "{param.low}"; font-size: 12px; }}'
                f' {slider} .max_value::after {{ content: "{param.high}"; font-size: 12px; }}'
            )
    return "\n".join(rules.values())


@dataclass
class Controls:
    """One component for each parameter name that any backend knows.

    Which of them show, and in which range, `ui/web/lib/form.js` decides when the backend is another.

    Attributes:
        specs: by backend key.
        parts: the components by parameter name, filled by `place`.
    """

    specs: dict[str, BackendSpec]
    parts: dict[str, Component] = field(default_factory=dict)

    def names(self) -> list[str]:
        """Return every parameter name in the order in which backends first mention it."""
        return list(dict.fromkeys(param.name for spec in self.specs.values() for param in spec.params))

    def place(self, key: str, names: Iterable[str]) -> None:
        """Make the components of these parameters here, as the backend `key` wants them."""
        for name in names:
            own = self.specs[key].by_name.get(name)
            some = own or next(spec.by_name[name] for spec in self.specs.values() if name in spec.by_name)
            self.parts[name] = component(some, visible=own is not None)
