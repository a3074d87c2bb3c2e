"""From a spec's parameters to components: the one place that knows which kind becomes which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from core.spec import AnyParam, BackendSpec, Choice, Integer, Number, Toggle
from ui import text


def component(param: AnyParam, *, visible: bool = True) -> Component:
    """Return the component for a parameter, set to its default. A seed, which has none, is a number box."""
    common: dict[str, Any] = {
        "label": str(param.label),
        "visible": visible,
        "elem_id": f"param-{param.name}",
        "elem_classes": ["param"],
    }
    match param:
        case Number():
            return gr.Slider(**common, **_settings(param), buttons=["reset"])
        case Integer(default=None):
            return gr.Number(**common, **_settings(param), container=False, show_label=False)
        case Integer():
            return gr.Slider(**common, **_settings(param), buttons=["reset"])
        case Choice():
            return gr.Radio(**common, **_settings(param))
        case Toggle():
            return gr.Checkbox(**common, **_settings(param))


def _settings(param: AnyParam) -> dict[str, Any]:
    """Return what differs between two backends' versions of a parameter."""
    help_text = {"info": None if param.help is None else str(param.help)}
    match param:
        case Number():
            bounds = {"minimum": param.minimum, "maximum": param.maximum, "step": param.step}
            return {**help_text, **bounds, "value": param.default}
        case Integer(default=None):
            return {"minimum": param.minimum, "maximum": param.maximum, "precision": 0}
        case Integer():
            bounds = {"minimum": param.minimum, "maximum": param.maximum, "step": 1}
            return {**help_text, **bounds, "value": param.default}
        case Choice():
            return {**help_text, "choices": list(param.choices), "value": param.default}
        case Toggle():
            return {**help_text, "value": param.default}


def fit(param: AnyParam, value: Any) -> tuple[Any, bool]:
    """Return a value as this parameter allows it, and whether it had to be changed."""
    match param:
        case Number() | Integer() if isinstance(value, (int, float)):
            fitted = param.clamp(value)
            return fitted, fitted != value
        case Choice() if value not in param.choices:
            return param.default, True
    return value, False


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
    """One component for each parameter name that any backend knows; a backend shows its own.

    Attributes:
        specs: by backend key.
        parts: the components by parameter name, filled by `place`.
    """

    specs: dict[str, BackendSpec]
    parts: dict[str, Component]

    @classmethod
    def of(cls, specs: dict[str, BackendSpec]) -> Controls:
        """Return controls without components yet."""
        return cls(specs, {})

    def names(self) -> list[str]:
        """Return every parameter name in the order in which backends first mention it."""
        return list(dict.fromkeys(param.name for spec in self.specs.values() for param in spec.params))

    def place(self, key: str, names: Iterable[str]) -> None:
        """Make the components of these parameters here, as the backend `key` wants them."""
        for name in names:
            own = self.specs[key].by_name.get(name)
            some = own or next(spec.by_name[name] for spec in self.specs.values() if name in spec.by_name)
            self.parts[name] = component(some, visible=own is not None)

    def values(self, key: str, given: Sequence[Any]) -> dict[str, Any]:
        """Return the values that the backend knows, by name, from all components' values in order."""
        known = self.specs[key].by_name
        return {name: value for name, value in zip(self.parts, given, strict=True) if name in known}

    def switch(self, key: str, given: Sequence[Any]) -> tuple[list[Any], list[str]]:
        """Return an update for each component for another backend, and the labels of values that were changed.

        What fits is kept, what does not is brought into the new range.
        """
        return self.show(key, dict(zip(self.parts, given, strict=True)))

    def show(self, key: str, values: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
        """Return an update for each component that shows a backend with these values, as far as they fit it.

        A component's range and value travel together: gradio refuses a value outside the range that it knows.

        Returns:
            The updates, and the labels of values that had to be changed. A parameter that `values`
            does not name keeps its value.
        """
        updates: list[Any] = []
        changed: list[str] = []
        for name in self.parts:
            param = self.specs[key].by_name.get(name)
            if param is None:
                updates.append(gr.update(visible=False))
                continue
            update = {**_settings(param), "visible": True}
            update.pop("value", None)
            if name in values:
                update["value"], moved = fit(param, values[name])
                if moved:
                    changed.append(text.adjusted(param.label, _shown(values[name]), _shown(update["value"])))
            updates.append(gr.update(**update))
        return updates, changed


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
