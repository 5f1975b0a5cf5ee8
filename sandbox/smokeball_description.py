"""The vendor's description of the Smokeball interface (OpenAPI in JSON), read from a file: calls, and values held against schemas.

Only as much of the schema language is read as such a description uses; what is not known is told, not passed over."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

Tell = Callable[[str, str], None]
_READ = frozenset(
    [
        "$ref",
        "additionalProperties",
        "allOf",
        "default",
        "deprecated",
        "description",
        "enum",
        "example",
        "format",
        "items",
        "maximum",
        "maxLength",
        "minimum",
        "minLength",
        "nullable",
        "properties",
        "readOnly",
        "required",
        "title",
        "type",
    ]
)


@dataclass(frozen=True, slots=True)
class DescribedCall:
    """One method on one path. `bodies` and `answers` are schemas by content type, `answers` by status first."""

    method: str
    template: str
    parameters: tuple[dict[str, Any], ...]
    bodies: dict[str, Any]
    answers: dict[str, dict[str, Any]]

    @property
    def body(self) -> Any:
        """The schema of a JSON body; None if the call has none."""
        return self.bodies.get("application/json")

    def answer(self, status: int) -> Any:
        """The schema of a JSON answer with that status; None if it has no body or is not described."""
        return self.answers.get(str(status), {}).get("application/json")


class SmokeballDescription:
    """The whole description. Raises OSError or ValueError for a file that can't be read."""

    def __init__(self, path: Path) -> None:
        whole = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(whole, dict) or not isinstance(whole.get("paths"), dict):
            raise ValueError(f"{path.name} is not a description of an interface")
        self._schemas: dict[str, Any] = whole.get("components", {}).get("schemas", {})
        self.calls = [
            _call(method, template, described)
            for template, methods in whole["paths"].items()
            for method, described in methods.items()
            if method in ("get", "put", "post", "patch", "delete")
        ]
        self._patterns = [(_pattern(call.template), call) for call in self.calls]
        self._patterns.sort(key=lambda pair: pair[1].template.count("{"))  # a fixed word goes before a placeholder

    def find(self, method: str, path: str) -> DescribedCall | None:
        """The call behind a request."""
        wanted = "/" + path.strip("/")
        return next((call for pattern, call in self._patterns if call.method == method and pattern.fullmatch(wanted)), None)

    def members(self, schema: Any) -> dict[str, Any]:
        """The members that an object may have."""
        found: dict[str, Any] = {}
        for part in self._parts(schema):
            found |= part.get("properties", {})
        return found

    def check(self, schema: Any, value: object, where: str, tell: Tell) -> None:
        """Holds a value against a schema; `tell` is given the place and what is wrong there."""
        if value is None:
            if not self._nullable(schema):
                tell(where, "is null, described as never null")
            return
        for part in self._parts(schema):
            for word in part.keys() - _READ:
                tell(where, f"the description says {word}, which is not read here")
            self._check_one(part, value, where, tell)

    def _parts(self, schema: Any) -> list[dict[str, Any]]:
        """A schema with its references followed: all of the parts hold."""
        parts: list[dict[str, Any]] = []
        if "$ref" in schema:
            parts += self._parts(self._schemas[str(schema["$ref"]).rpartition("/")[2]])
        for inner in schema.get("allOf", ()):
            parts += self._parts(inner)
        own = {name: inner for name, inner in schema.items() if name not in ("$ref", "allOf")}
        return [*parts, own] if own.keys() - {"nullable", "description"} else parts

    def _nullable(self, schema: Any) -> bool:
        if "nullable" in schema:
            return bool(schema["nullable"])
        return "$ref" in schema and self._nullable(self._schemas[str(schema["$ref"]).rpartition("/")[2]])

    def _check_one(self, schema: dict[str, Any], value: object, where: str, tell: Tell) -> None:
        kind = schema.get("type")
        if kind is not None and not _is(kind, value):
            tell(where, f"is {_kind(value)}, described as {kind}")
            return
        if "enum" in schema and value not in schema["enum"]:
            tell(where, "is none of the values that are described")
        if isinstance(value, str):
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                tell(where, "has another length than described")
            if not _fits(str(schema.get("format", "")), value):
                tell(where, f"is no {schema['format']}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            tell(where, "is out of the range that is described")
        if isinstance(value, list):
            for inner in value:
                self.check(schema.get("items", {}), inner, f"{where}[]", tell)
        if isinstance(value, dict):
            self._check_members(schema, value, where, tell)

    def _check_members(self, schema: dict[str, Any], value: dict[str, Any], where: str, tell: Tell) -> None:
        described, more = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name in schema.get("required", ()):
            if name not in value:
                tell(f"{where}/{name}", "is missing")
        for name, inner in value.items():
            if name in described:
                self.check(described[name], inner, f"{where}/{name}", tell)
            elif more is False:
                tell(f"{where}/{name}", "is not described")
            elif isinstance(more, dict) and more.keys() - {"nullable"}:
                self.check(more, inner, f"{where}/*", tell)

    def check_query(self, call: DescribedCall, pairs: list[tuple[str, str]], tell: Tell) -> None:
        """Names (in either case of letters) and values of a query."""
        described = {str(each["name"]).lower(): each for each in call.parameters if each.get("in") == "query"}
        seen: list[str] = []
        for name, text in pairs:
            parameter = described.get(name.lower())
            if parameter is None:
                tell(f"query {name}", "is not described")
                continue
            schema = parameter["schema"]
            many = schema.get("type") == "array"
            if not many and name.lower() in seen:
                tell(f"query {name}", "is there twice, described as once")
            seen.append(name.lower())
            inner = schema.get("items", {}) if many else schema
            self.check(inner, _value(inner, text), f"query {name}", tell)

    def example(self, schema: Any, values: dict[str, Any]) -> dict[str, Any]:
        """A body with every member that is described and has a value here, or a plain one by its type."""
        plain = {"string": "text", "number": 1.5, "integer": 1, "boolean": False, "array": [], "object": {}}
        found: dict[str, Any] = {}
        for name, inner in self.members(schema).items():
            kind = next((part["type"] for part in self._parts(inner) if "type" in part), "string")
            value = values[name] if name in values else plain[str(kind)]
            if value is not None:
                found[name] = value
        return found


def _pattern(template: str) -> re.Pattern[str]:
    """A path with placeholders as a pattern."""
    parts = template.strip("/").split("/")
    return re.compile("".join("/[^/]+" if part.startswith("{") else f"/{re.escape(part)}" for part in parts))


def _call(method: str, template: str, described: dict[str, Any]) -> DescribedCall:
    def schemas(content: dict[str, Any]) -> dict[str, Any]:
        return {kind: inner.get("schema") for kind, inner in content.items()}

    return DescribedCall(
        method=method.upper(),
        template=template,
        parameters=tuple(described.get("parameters", ())),
        bodies=schemas(described.get("requestBody", {}).get("content", {})),
        answers={status: schemas(inner.get("content", {})) for status, inner in described.get("responses", {}).items()},
    )


def _is(kind: str, value: object) -> bool:
    if kind in ("number", "integer"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and (whole if kind == "integer" else isinstance(value, int | float))
    types: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": dict}
    return kind in types and isinstance(value, types[kind])


def _kind(value: object) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}
    return names.get(type(value), type(value).__name__)


def _fits(form: str, text: str) -> bool:
    try:
        if form == "date-time":
            datetime.fromisoformat(text)
            return "T" in text
        if form == "uuid":
            uuid.UUID(text)
    except ValueError:
        return False
    return True


def _value(schema: dict[str, Any], text: str) -> object:
    """A parameter's text as the type that its schema wants; the text itself if it is not of that type."""
    kind = schema.get("type")
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text
