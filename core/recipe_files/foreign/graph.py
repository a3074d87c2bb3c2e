"""A ComfyUI workflow as it was run: nodes by id, whose inputs are values or links to other nodes.

Source of the layout: comfyanonymous/ComfyUI, nodes.py and comfy_extras/ (nodes_custom_sampler.py, nodes_flux.py,
nodes_primitive.py, nodes_string.py); a link is `[id, output]`. Every walk is bounded, since a file may link in circles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

MAX_NODES = 2000
MAX_HOPS = 64
"""Links that are followed one after another."""
MAX_JOINS = 64
"""Nodes that join texts, in one text."""
MAX_JOINED = 2**16
"""Characters of a joined text; a longer one is no prompt that fits."""

NUMBER_INPUTS = ("value", "seed", "noise_seed", "int", "float", "number", "Number", "Value")
"""What nodes that only hold a number call it: the core's primitives, and constants of well-known extensions."""
TEXT_INPUTS = ("t5xxl", "text", "populated_text", "value", "string", "String", "prompt", "text_g", "text_l", "clip_l")
"""What nodes that hold a text call it, the one that FLUX reads most of first."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node.

    Attributes:
        kind: its class.
        inputs: values and links by name.
    """

    kind: str
    inputs: dict[str, object]

    def first(self, names: tuple[str, ...]) -> object:
        """Return the first of some inputs that it has, None where it has none."""
        return next((self.inputs[name] for name in names if self.inputs.get(name) is not None), None)


class Graph:
    """The nodes of a workflow, at most `MAX_NODES`."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes

    def linked(self, raw: object) -> tuple[Node, int] | None:
        """Return the node and output that a link points to, None where it is no link."""
        if not isinstance(raw, list) or len(raw) != 2 or not isinstance(raw[0], (str, int)):
            return None
        node = self.nodes.get(str(raw[0]))
        return (node, raw[1] if isinstance(raw[1], int) else 0) if node is not None else None

    def inputs_of(self, node: Node) -> Iterator[Node]:
        """Yield the nodes that a node's inputs are linked to."""
        for raw in node.inputs.values():
            if (found := self.linked(raw)) is not None:
                yield found[0]

    def upstream(self, starts: list[Node]) -> list[Node]:
        """Return some nodes and all that they depend on, the nearest first, each once."""
        seen = dict.fromkeys(starts)
        waiting = deque(starts)
        while waiting:
            for each in self.inputs_of(waiting.popleft()):
                if each not in seen:
                    seen[each] = None
                    waiting.append(each)
        return list(seen)

    def outputs(self) -> list[Node]:
        """Return the nodes that save the picture; where none is found, those that nothing depends on."""
        used = {each for node in self.nodes.values() for each in self.inputs_of(node)}
        last = [node for node in self.nodes.values() if node not in used]
        return [node for node in last if "save" in node.kind.lower()] or last or list(self.nodes.values())

    def value(self, raw: object) -> object:
        """Return what an input holds, through nodes that only hold a value; None where it is computed."""
        for _ in range(MAX_HOPS):
            if not isinstance(raw, (list, dict)):
                return raw
            found = self.linked(raw)
            if found is None:
                return None
            raw = self._held(found[0], NUMBER_INPUTS)
        return None

    def text(self, raw: object) -> str | None:
        """Return a text, through nodes that hold, pass on or join texts; None where it is computed."""
        return self._text(raw, [MAX_JOINS])

    def _text(self, raw: object, joins: list[int]) -> str | None:
        for _ in range(MAX_HOPS):
            if isinstance(raw, str):
                return raw
            found = self.linked(raw)
            if found is None:
                return None
            node = found[0]
            if "string_a" in node.inputs:
                return self._joined(node, joins)
            raw = self._held(node, TEXT_INPUTS)
        return None

    def _joined(self, node: Node, joins: list[int]) -> str | None:
        joins[0] -= 1
        if joins[0] < 0:
            return None
        parts = [self._text(node.inputs.get(name), joins) for name in ("string_a", "string_b")]
        whole = [part for part in parts if part is not None]
        delimiter = node.inputs.get("delimiter", "")
        if len(whole) < len(parts) or not isinstance(delimiter, str):
            return None
        return delimiter.join(whole) if sum(map(len, [*whole, delimiter])) <= MAX_JOINED else None

    def _held(self, node: Node, names: tuple[str, ...]) -> object:
        """Return what a node holds, or the link of one that passes a single thing on; None where it does neither."""
        held = node.first(names)
        links = [raw for raw in node.inputs.values() if self.linked(raw) is not None] if held is None else []
        return links[0] if len(links) == 1 else held


def graph_of(values: dict[str, object] | None) -> Graph | None:
    """Return the workflow of a JSON object, None where it is none."""
    nodes: dict[str, Node] = {}
    for name, raw in (values or {}).items():
        kind, inputs = (raw.get("class_type"), raw.get("inputs")) if isinstance(raw, dict) else (None, None)
        if isinstance(kind, str) and isinstance(inputs, dict) and len(nodes) < MAX_NODES:
            nodes[name] = Node(kind, inputs)
    return Graph(nodes) if nodes else None
