"""The XML of order messages: one `Order`, or several under any root (apis: seen in public client code)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from desktop.services.infotrack.fields import Fields


class NotXml(ValueError):
    """The text is no XML that is accepted here. The message is a sentence."""


@dataclass(slots=True)
class _Node:
    name: str
    nil: bool
    children: list[_Node] = field(default_factory=list)
    text: list[str] = field(default_factory=list)


_DEPTH = 64
_ELEMENTS = 200_000
_TEXT = 1_000_000


def orders(text: str) -> Iterator[Fields]:
    """The fields of each order in the document. Raises NotXml at the first step."""
    root = _tree(text)
    found = [root] if _is_order(root) else list(_below(root))
    for node in found or [root]:
        yield Fields.of((child.name, None if child.nil else _value(child)) for child in node.children)


def _value(node: _Node) -> object:
    if node.children:
        return Fields.of(())
    return "".join(node.text)


def _is_order(node: _Node) -> bool:
    return any(child.name.lower() == "orderid" for child in node.children)


def _below(node: _Node) -> Iterator[_Node]:
    for child in node.children:
        if child.name.lower() == "order" or _is_order(child):
            yield child
        else:
            yield from _below(child)


def _tree(text: str) -> _Node:
    top = _Node("", False)
    open_nodes = [top]
    count = 0
    length = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_nodes) > _DEPTH or count > _ELEMENTS:
            raise NotXml("The XML is nested too deeply or has too many elements.")
        nil = any(key.rpartition("}")[2] == "nil" and value in ("true", "1") for key, value in attributes.items())
        node = _Node(name.rpartition("}")[2], nil)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)

    def end(_name: str) -> None:
        open_nodes.pop()

    def data(piece: str) -> None:
        nonlocal length
        length += len(piece)
        if length > _TEXT:
            raise NotXml("A text in the XML is too long.")
        open_nodes[-1].text.append(piece)

    def doctype(*_: object) -> None:
        raise NotXml("The XML holds a document type definition, which is refused for safety.")

    parser = expat.ParserCreate("utf-8", namespace_separator="}")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode("utf-8"), True)
    except (expat.ExpatError, UnicodeEncodeError):
        raise NotXml("The file is not well-formed XML.") from None
    return top.children[0]
