"""ComfyUI: the workflow as it was run, in PNG's `prompt`, or in EXIF as `prompt:{...}`.

Source: comfyanonymous/ComfyUI, nodes.py (SaveImage, KSampler, KSamplerAdvanced, common_ksampler),
comfy_api/latest/_ui.py (_create_webp_metadata: EXIF's Model holds `prompt:`, Make and the tags below it the rest),
comfy_extras/nodes_custom_sampler.py (SamplerCustom, SamplerCustomAdvanced, BasicScheduler, BasicGuider, CFGGuider,
RandomNoise), comfy_extras/nodes_flux.py (FluxGuidance, CLIPTextEncodeFlux, FluxDisableGuidance).

The settings are those of the first pass: of the sampler that is farthest from the saved picture. Samplers are known by
their inputs and not by name, so those of extensions are understood as far as they call things the same.
"""

from __future__ import annotations

from core.messages import Message
from core.recipe_files.foreign.bounded_json import parse_object
from core.recipe_files.foreign.draft import Draft, number
from core.recipe_files.foreign.graph import MAX_HOPS, TEXT_INPUTS, Graph, Node, graph_of
from core.recipe_files.foreign.reasons import (
    CFG,
    COMPUTED,
    LORA,
    MODEL,
    NEGATIVE,
    OTHER,
    PROMPT_PART,
    SAMPLER,
    SECOND_PASS,
    SIZE,
)
from core.recipe_files.foreign.texts import Texts
from core.recipe_files.foreign.values import Foreign, Source
from core.spec import Integer, Number
from core.terms import GUIDANCE, SEED, STEPS, STRENGTH

CONDITIONINGS = ("conditioning", "positive", "cond1", "conditioning_1", "conditioning_to")
"""What nodes call the conditioning that they take, or the main one of several."""
LATENTS = ("latent_image", "samples", "latent", "latents")
"""What nodes call the picture that they take as latents."""
MOST_STEPS = 10_000
"""The tool's own limit."""
LEAST_DENOISE = 0.001
"""Less runs no step."""

PLUMBING = {
    "VAEDecode",
    "VAEDecodeTiled",
    "VAEEncode",
    "VAEEncodeTiled",
    "LoadImage",
    "CLIPTextEncode",
    "CLIPTextEncodeFlux",
    "FluxGuidance",
    "ConditioningZeroOut",
    "Reroute",
    "StringConcatenate",
    "Note",
    "MarkdownNote",
}
"""Nodes that are followed, or that set nothing."""
PLUMBING_FAMILIES = ("Save", "Preview", "Primitive")
KINDS: tuple[tuple[tuple[str, ...], Message], ...] = (
    (("lora",), LORA),
    (("checkpoint", "unet", "vaeloader", "cliploader"), MODEL),
    (("empty",), SIZE),
    (("randomnoise", "basicscheduler", "guider", "ksamplerselect"), SECOND_PASS),
    (("sampl", "scheduler"), SAMPLER),
)
"""Parts of classes in lower case, and why such a node is left out. The first that fits decides."""


def read_comfyui(texts: Texts) -> Foreign | None:
    """Return the settings, None where there is no workflow."""
    graph = graph_of(texts.json("prompt"))
    for _, text in texts.exif() if graph is None else ():
        label, _, rest = text.partition(":")
        if label.strip().lower() == "prompt" and (graph := graph_of(parse_object(rest))) is not None:
            break
    return None if graph is None else _Reading(graph).done()


class _Reading:
    """One workflow on its way to a `Foreign`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._draft = Draft(Source.COMFYUI)
        self._taken: set[Node] = set()
        """The nodes whose inputs are settings of the pass."""

    def done(self) -> Foreign:
        """Follow the workflow from its sampler, and list what else it has."""
        samplers = [node for node in self._graph.upstream(self._graph.outputs()) if _is_sampler(node)]
        if samplers:
            self._pass(samplers[-1])
        for node in self._graph.nodes.values():
            plumbing = node.kind in PLUMBING or node.kind.startswith(PLUMBING_FAMILIES)
            if not plumbing and node not in self._taken:
                self._draft.leave(node.kind, self._literals(node.inputs) or node.kind, _why(node))
        return self._draft.done()

    def _pass(self, sampler: Node) -> None:
        """Take the settings of a sampler and of the nodes that hold parts of them."""
        named = [self._node(sampler.inputs.get(name)) for name in ("guider", "noise", "sampler")]
        scheduler = self._scheduler(sampler)
        parts = [sampler, *filter(None, [*named, scheduler])]
        self._taken.update(parts)
        inputs = {name: raw for part in parts for name, raw in part.inputs.items()}
        if scheduler is not None and scheduler is not self._node(sampler.inputs.get("sigmas")):
            # Other nodes split the schedule on its way, so this does not say which part of it runs.
            self._draft.leave("denoise", inputs.pop("denoise", None), COMPUTED)
        self._positive(next((inputs[name] for name in CONDITIONINGS if name in inputs), None))
        self._negative(inputs.get("negative"))
        self._number(SEED, "noise_seed" if "noise_seed" in inputs else "seed", inputs)
        self._steps_and_strength(inputs)
        counted = {"noise_seed", "seed", "steps", "denoise", "start_at_step"}
        for name, raw in self._literals(inputs).items():
            if name not in counted:
                self._draft.leave(name, raw, _why_input(name))

    def _steps_and_strength(self, inputs: dict[str, object]) -> None:
        """Take the steps, and the strength where there is a reference.

        This tool counts the steps that run, `steps` of `int(steps / denoise)`; here steps are counted before the
        strength takes its part, so the same picture needs the larger number.
        """
        steps, denoise, start = (
            number(self._graph.value(raw))
            for raw in (inputs.get("steps"), inputs.get("denoise", 1.0), inputs.get("start_at_step"))
        )
        if self._is_empty(inputs.get("latent_image")):
            self._number(STEPS, "steps", inputs)
            self._draft.leave("denoise", None if denoise == 1 else inputs.get("denoise"), OTHER)
            self._draft.leave("start_at_step", start or None, OTHER)
        elif steps and start and 0 < start <= steps <= MOST_STEPS:
            self._number(STEPS, "steps", inputs)
            self._draft.put(STRENGTH, "start_at_step", start, (steps - start) / steps)
        else:
            partial = steps and denoise and 0 < steps <= MOST_STEPS and LEAST_DENOISE <= denoise < 1
            self._number(STEPS, "steps", inputs, int(steps / denoise) if steps and denoise and partial else None)
            self._number(STRENGTH, "denoise", inputs)

    def _number(self, param: Number | Integer, name: str, inputs: dict[str, object], value: int | None = None) -> None:
        raw = self._graph.value(inputs.get(name))
        if raw is None:
            node = self._node(inputs.get(name))
            self._draft.leave(name, node and node.kind, COMPUTED)
        else:
            self._draft.put(param, name, raw, value)

    def _positive(self, raw: object) -> None:
        """Take the prompt, and the guidance that is set nearest to the sampler, which overrides those before it."""
        guided = False
        nodes = self._conditioning(raw)
        for node in nodes:
            if node.kind == "FluxDisableGuidance":
                guided = True
            elif "guidance" in node.inputs and not guided:
                guided = True
                self._number(GUIDANCE, "guidance", node.inputs)
        if nodes:
            self._words(nodes[-1])

    def _words(self, encoder: Node) -> None:
        """Take the prompt of a node that has a text, or one for each of the model's text encoders."""
        texts = {name: self._graph.text(encoder.inputs[name]) for name in TEXT_INPUTS if name in encoder.inputs}
        if texts:
            self._taken.add(encoder)
        # The first that is not empty is the prompt; where that is computed, no other stands in for it.
        first = next((name for name, text in texts.items() if text is None or text.strip()), None)
        for name, text in texts.items():
            if text is None:
                self._draft.leave(name, encoder.kind, COMPUTED)
            elif name == first:
                self._draft.prompt(name, text)
            elif first is None or text != texts[first]:
                self._draft.leave(name, text, PROMPT_PART)

    def _negative(self, raw: object) -> None:
        nodes = self._conditioning(raw)
        if not nodes or any(node.kind == "ConditioningZeroOut" for node in nodes):
            return
        self._taken.add(nodes[-1])
        text = self._graph.text(nodes[-1].first(TEXT_INPUTS))
        self._draft.leave("negative", nodes[-1].kind if text is None else text, NEGATIVE)

    def _conditioning(self, raw: object) -> list[Node]:
        """Return the nodes from the sampler to the one that holds the text."""
        nodes: list[Node] = []
        for _ in range(MAX_HOPS):
            found = self._graph.linked(raw)
            if found is None:
                break
            node, output = found
            nodes.append(node)
            both = "positive" in node.inputs and "negative" in node.inputs
            raw = node.inputs["negative"] if both and output == 1 else node.first(CONDITIONINGS)
        return nodes

    def _scheduler(self, sampler: Node) -> Node | None:
        """Return the node that says how many steps a sampler takes, where that is not the sampler."""
        node = self._node(sampler.inputs.get("sigmas"))
        for _ in range(MAX_HOPS):
            if node is None or "steps" in node.inputs:
                return node
            node = self._node(node.inputs.get("sigmas"))
        return None

    def _is_empty(self, latent: object) -> bool:
        """Return whether a pass begins without a picture."""
        for _ in range(MAX_HOPS):
            node = self._node(latent)
            if node is None or node.kind.startswith("Empty"):
                return node is not None
            latent = node.first(LATENTS)
        return False

    def _node(self, raw: object) -> Node | None:
        found = self._graph.linked(raw)
        return found[0] if found else None

    def _literals(self, inputs: dict[str, object]) -> dict[str, object]:
        return {name: raw for name, raw in inputs.items() if self._graph.linked(raw) is None}


def _is_sampler(node: Node) -> bool:
    has = node.inputs.__contains__
    simple = has("steps") and has("positive") and (has("seed") or has("noise_seed"))
    return simple or (has("sigmas") and (has("guider") or has("positive")))


def _why(node: Node) -> Message:
    if _is_sampler(node):
        return SECOND_PASS
    kind = node.kind.lower()
    return next((why for parts, why in KINDS if any(part in kind for part in parts)), OTHER)


def _why_input(name: str) -> Message:
    if name.startswith("cfg"):
        return CFG
    return SAMPLER if name in ("sampler_name", "scheduler", "sampler") else OTHER
