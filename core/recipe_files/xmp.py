"""XMP packets: read, and written with our properties (ISO 16684-1; Adobe's XMP specification, part 3, on files).

Only what is simple in XMP is needed here: texts that are properties of the picture itself, as elements or attributes of
`rdf:Description`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMESPACES = {
    "rdf": _RDF,
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "srpo": "https://github.com/srpo-studio/srpo-studio/ns/recipe/1.0/",
}
"""By prefix. Ours is in files that are out in the world, so it never changes."""
RECIPE = "srpo:recipe"
DIGITAL_SOURCE_TYPE = "Iptc4xmpExt:DigitalSourceType"
CREATOR_TOOL = "xmp:CreatorTool"
HAS_EXTENDED = "xmpNote:HasExtendedXMP"
_WRITTEN = (RECIPE, DIGITAL_SOURCE_TYPE, CREATOR_TOOL)
"""Properties that a packet has once at most, and that are replaced."""

MAX_ELEMENTS = 20_000
"""Of a packet that is parsed. Photo editors write some hundreds."""
_MAX_DEPTH = 100
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="r"?>'
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, by reference neither."""


class NotXmp(ValueError):
    """The bytes are not XMP in UTF-8, declare a document type, or have too many elements."""


def packet(properties: Mapping[str, str], old: bytes | None = None) -> bytes:
    """Return a packet with these properties, in UTF-8.

    Args:
        properties: texts by their names in `_NAMESPACES`.
        old: the packet that the file has. Its other properties stay; those that we write are replaced, also where
            `properties` lacks them. What is not XMP is replaced as a whole.
    """
    description = _description(properties)
    if old is not None:
        try:
            return _Walk(old, description).written
        except NotXmp:
            pass
    return f"{_BEGIN}{_root(description)}{_END}".encode()


def extension(properties: Mapping[str, str]) -> bytes:
    """Return XMP for a JPEG's extension segments, which has no packet's begin and end."""
    return _root(_description(properties)).encode()


def properties_of(packet: str) -> dict[str, str]:
    """Return the properties that this module writes, by the names that it gives them; {} where it is no XMP."""
    try:
        found = _Walk(packet.encode()).properties
    except NotXmp:
        return {}
    names = {_expanded(name): name for name in _WRITTEN}
    return {names[name]: text for name, text in found.items() if name in names}


def safe_json(text: str) -> str:
    """Return JSON with escapes for the two characters that JSON holds as they are and XML does not."""
    return text.replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")


def _expanded(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{_NAMESPACES[prefix]} {local}"


def _description(properties: Mapping[str, str]) -> str:
    prefixes = dict.fromkeys(["rdf", *(name.partition(":")[0] for name in properties)])
    spaces = "".join(f' xmlns:{each}="{_NAMESPACES[each]}"' for each in prefixes)
    elements = "".join(f"<{name}>{_escaped(text)}</{name}>" for name, text in properties.items())
    return f'<rdf:Description{spaces} rdf:about="">{elements}</rdf:Description>'


def _root(description: str) -> str:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="{_RDF}">{description}</rdf:RDF></x:xmpmeta>'


def _escaped(text: str) -> str:
    safe = _FORBIDDEN.sub("", text)
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(name: str, text: str) -> str:
    value = _escaped(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'


class _Walk:
    """One pass over a packet, which collects its simple properties and writes it again with ours.

    Prefixes stay as they are, since some readers look for them and not for the namespace. Comments go.

    Attributes:
        properties: the texts of simple properties by namespace and name; the first counts.

    Raises:
        NotXmp: see there.
    """

    def __init__(self, packet: bytes, description: str = "") -> None:
        self.properties: dict[str, str] = {}
        self._description = description
        self._replaced = {_expanded(name) for name in _WRITTEN}
        self._out: list[str] = []
        self._path: list[str] = []
        self._spaces: list[str] = []
        self._text: list[str] | None = None
        self._skipped_from = 0
        self._elements = 0
        self._placed = False
        parser = expat.ParserCreate("utf-8", " ")  # no blank can stand in a namespace's name
        parser.namespace_prefixes = parser.ordered_attributes = parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartNamespaceDeclHandler = self._on_namespace
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._on_text
        parser.ProcessingInstructionHandler = self._on_instruction
        try:
            parser.Parse(packet.rstrip(b"\0"), True)
        except expat.ExpatError as error:
            raise NotXmp(str(error)) from error

    @property
    def written(self) -> bytes:
        """The packet with our description last.

        Raises:
            NotXmp: it has no place for one.
        """
        if not self._placed:
            raise NotXmp("no RDF")
        return "".join(self._out).encode()

    def _refuse(self, *_: Any) -> None:
        raise NotXmp("a document type, which may declare entities")

    def _on_namespace(self, prefix: str | None, uri: str | None) -> None:
        self._spaces.append(_attribute(f"xmlns:{prefix}" if prefix else "xmlns", uri or ""))

    def _on_start(self, name: str, listed: list[str]) -> None:
        self._elements += 1
        self._path.append(_without_prefix(name))
        if self._elements > MAX_ELEMENTS or len(self._path) > _MAX_DEPTH:
            raise NotXmp("too many elements")
        self._text = [] if self._is_property(len(self._path)) else None
        if self._text is not None and self._path[-1] in self._replaced and not self._skipped_from:
            self._skipped_from = len(self._path)
        attributes = list(zip(listed[::2], listed[1::2], strict=True))
        if self._is_property(len(self._path) + 1):
            for each, value in attributes:
                self.properties.setdefault(_without_prefix(each), value)
            attributes = [each for each in attributes if _without_prefix(each[0]) not in self._replaced]
        spaces, self._spaces = "".join(self._spaces), []
        if not self._skipped_from:
            written = "".join(_attribute(_with_prefix(each), value) for each, value in attributes)
            self._out.append(f"<{_with_prefix(name)}{spaces}{written}>")

    def _on_end(self, name: str) -> None:
        if self._text is not None and self._is_property(len(self._path)):
            self.properties.setdefault(self._path[-1], "".join(self._text))
        self._text = None
        if self._path[-1] == f"{_RDF} RDF" and not self._placed:
            self._out.append(self._description)
            self._placed = True
        if not self._skipped_from:
            self._out.append(f"</{_with_prefix(name)}>")
        elif self._skipped_from == len(self._path):
            self._skipped_from = 0
        self._path.pop()

    def _on_text(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)
        if not self._skipped_from:
            self._out.append(_escaped(text))

    def _on_instruction(self, target: str, text: str) -> None:
        self._out.append(f"<?{target} {text}?>" + "\n" * (not self._path))

    def _is_property(self, depth: int) -> bool:
        """Return whether elements at a depth of the path are properties of the picture."""
        return self._path[depth - 3 : depth - 1] == [f"{_RDF} RDF", f"{_RDF} Description"]


def _without_prefix(name: str) -> str:
    """Return expat's name, which is namespace, local name and prefix, without the prefix."""
    return " ".join(name.split(" ")[:2])


def _with_prefix(name: str) -> str:
    """Return expat's name as it stood in the packet."""
    parts = name.split(" ")
    return f"{parts[2]}:{parts[1]}" if len(parts) == 3 else parts[-1]
