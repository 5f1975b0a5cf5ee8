"""The vendor's description of the older WorkflowMax interface, read from a folder: its calls, and XML held against them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.etree.ElementTree import Element, ParseError, XMLParser

from sandbox.spec_yaml import NotReadable, read_yaml

Schema = dict[str, Any]
Tell = Callable[[str, str], None]  # where, what
_NUMBER = re.compile(r"^-?\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Call:
    """A described call. Schemas are None where the description defines none."""

    method: str
    template: str
    parameters: tuple[Schema, ...]
    request: Schema | None
    answer: Schema | None


class Description:
    """The folder's contents. Raises NotReadable or OSError."""

    def __init__(self, folder: Path) -> None:
        self._schemas: dict[str, Schema] = {}
        self.unreadable: list[str] = []
        for path in sorted((folder / "components" / "schemas").glob("*.yaml")):
            try:
                self._schemas |= {name.lower(): entry for name, entry in _map(read_yaml(path)).items()}
            except NotReadable as problem:
                self.unreadable.append(str(problem))
        self.calls = [call for path in sorted((folder / "paths").glob("*.yaml")) for call in self._calls(path)]

    def _calls(self, path: Path) -> Iterator[Call]:
        for template, methods in _map(_map(read_yaml(path)).get("paths")).items():
            for method, entry in _map(methods).items():
                answers = _map(entry.get("responses"))
                yield Call(
                    method=method.upper(),
                    template=template.lstrip("/"),
                    parameters=tuple(entry.get("parameters") or ()),
                    request=self._content(entry.get("requestBody")),
                    answer=self._content(answers.get("200")),
                )

    def _content(self, entry: Any) -> Schema | None:
        kinds = _map(_map(entry).get("content"))
        schema = _map(_map(kinds.get("application/xml")).get("schema")) if kinds else {}
        return schema if schema.get("$ref") else None

    def find(self, method: str, path: str) -> Call | None:
        """The call that a request is, by method and path."""
        for call in self.calls:
            pattern = "/".join("[^/]+" if part.startswith("{") else re.escape(part) for part in call.template.split("/"))
            if call.method == method and re.fullmatch(pattern, path, re.IGNORECASE):
                return call
        # a job's number may hold slashes, which arrive decoded
        for call in self.calls:
            head, brace, _rest = call.template.partition("{")
            if call.method == method and brace and call.template.endswith("}") and path.startswith(head):
                return call
        return None

    def resolve(self, schema: Schema) -> Schema:
        """Follows references, whatever the case of their letters; one that leads nowhere describes nothing."""
        while "$ref" in schema:
            schema = self._schemas.get(schema["$ref"].rsplit("/", 1)[-1].lower(), {})
        return schema

    def check_xml(self, schema: Schema, text: str, tell: Tell) -> None:
        """Holds a document against the schema of its root."""
        parser = XMLParser()  # noqa: S314 - what a stand-in on loopback was sent or answered
        try:
            parser.feed(text.encode())
            root = parser.close()
        except (ParseError, ValueError):
            tell("the body", "is not XML")
            return
        wanted = _map(self.resolve(schema).get("xml")).get("name")
        if wanted and root.tag != wanted:
            tell("the root", f"is {root.tag}, described as {wanted}")
            inner = [child for child in root if child.tag == wanted]
            if root.tag == "Response" and inner:
                self._check(schema, inner[0], wanted, tell)
            return
        self._check(schema, root, root.tag, tell)

    def _check(self, schema: Schema, element: Element, where: str, tell: Tell) -> None:
        schema = self.resolve(schema)
        kind, text = schema.get("type"), (element.text or "").strip()
        if kind == "array":
            self._check(_map(schema.get("items")), element, where, tell)
        elif kind == "object" or "properties" in schema:
            known = _map(schema.get("properties"))
            if text:
                tell(where, "has text, described as a record")
            for child in element:
                if child.tag in known:
                    self._check(_map(known[child.tag]), child, f"{where}/{child.tag}", tell)
                elif known:
                    near = next((name for name in known if name.lower() == str(child.tag).lower()), "")
                    tell(f"{where}/{child.tag}", f"is described as {near}" if near else "is not described")
        else:
            if len(element):
                tell(where, f"has elements in it, described as {kind}")
            self._check_text(schema, text, where, tell)

    @staticmethod
    def _check_text(schema: Schema, text: str, where: str, tell: Tell) -> None:
        if schema.get("type") in ("number", "integer") and text and not _NUMBER.match(text):
            tell(where, "is no number")
        allowed = schema.get("enum")
        if allowed and text and text not in allowed:
            tell(where, f"is none of {', '.join(map(str, allowed))}")

    def check_query(self, call: Call, query: str, tell: Tell) -> None:
        """Holds a query against the described parameters."""
        sent = dict(parse_qsl(query, keep_blank_values=True))
        known = {each["name"]: each for each in call.parameters if each.get("in") == "query"}
        for name, value in sent.items():
            if name in known:
                self._check_text(self.resolve(_map(known[name].get("schema"))), unquote(value), f"the parameter {name}", tell)
            else:
                tell(f"the parameter {name}", "is not described")
        for name, each in known.items():
            if each.get("required") == "true" and name not in sent:
                tell(f"the parameter {name}", "is required and missing")

    def example(self, schema: Schema, changes: dict[str, str]) -> str:
        """A record as described, from the properties' own examples, with some texts replaced."""
        found = self.resolve(schema)
        parts = []
        for name, entry in _map(found.get("properties")).items():
            resolved = self.resolve(_map(entry))
            default = resolved.get("example") or next(iter(resolved.get("enum") or ()), "")
            text = changes.get(name, str(default))
            if text and "properties" not in resolved:
                parts.append(f"<{name}>{text}</{name}>")
        root = _map(found.get("xml")).get("name")
        return f"<{root}>{''.join(parts)}</{root}>"


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
