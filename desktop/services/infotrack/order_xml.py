"""The XML of order messages: one `Order`, several under any root, or several one behind the other (seen in public client
code, or what becomes of it when a program appends)."""

from __future__ import annotations

from collections.abc import Iterator

from desktop.services.errors import BadAnswer
from desktop.services.infotrack.decoding import without_declarations
from desktop.services.infotrack.fields import Fields
from desktop.services.practice import practice_xml
from desktop.services.practice.practice_xml import Element


class NotXml(ValueError):
    """The text is no XML that is accepted here. The message is a sentence."""


def orders(text: str) -> Iterator[Fields]:
    """The fields of each order in the document, which has no declaration any more. Raises NotXml at the first step."""
    try:
        root = _root(text)
    except UnicodeEncodeError:
        raise NotXml("The XML holds characters that can't be.") from None
    except BadAnswer as error:
        raise NotXml(str(error).replace("The answer", "The XML", 1).replace("in the answer", "in the XML", 1)) from error
    found = [root] if _is_order(root) else list(_below(root))
    for element in found or [root]:
        yield Fields.of((child.name, _value(child)) for child in element.children)


def _root(text: str) -> Element:
    """A file that was only ever appended to has several documents in it, one behind the other."""
    try:
        return practice_xml.parse(text.encode("utf-8"), practice_xml.ORDER, encoding="utf-8")
    except BadAnswer as error:
        try:
            joined = f"<Orders>{without_declarations(text)}</Orders>".encode()
            return practice_xml.parse(joined, practice_xml.ORDER, encoding="utf-8")
        except BadAnswer:
            raise error from None


def _value(element: Element) -> object:
    if element.children:
        return Fields.of(())
    nil = any(name.rpartition(":")[2] == "nil" and value in ("true", "1") for name, value in element.attributes.items())
    return None if nil else element.text


def _is_order(element: Element) -> bool:
    return bool(element.named("OrderId"))


def _below(element: Element) -> Iterator[Element]:
    for child in element.children:
        if child.name.lower() == "order" or _is_order(child):
            yield child
        else:
            yield from _below(child)
