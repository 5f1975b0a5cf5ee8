"""Reads the part of YAML that interface descriptions are written in: block maps and lists, quoted and folded texts.

Every scalar comes back as text. Anchors, tags, flow collections with something in them and several documents are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypeAlias

Node: TypeAlias = "dict[str, Node] | list[Node] | str | None"
_KEY = re.compile(r"""^('(?:[^']|'')*'|"[^"]*"|[^\s'"\[{#][^#]*?):(?:\s+(.*))?$""")


class NotReadable(ValueError):
    """The file uses more of YAML than is known here; the text names the file and the line."""


def read_yaml(path: Path) -> Node:
    """The file's contents. Raises NotReadable or OSError."""
    return _Reader(path).document()


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[tuple[int, str, int]] = []  # indent, text, number
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.strip()
            if text and text != "---" and not text.startswith("#"):
                self._lines.append((len(line) - len(line.lstrip(" ")), text, number))
        self._at = 0

    def document(self) -> Node:
        found = self._block() if self._lines else None
        if self._at < len(self._lines):
            raise self._trouble("an unexpected indentation")
        return found

    def _trouble(self, what: str) -> NotReadable:
        number = self._lines[min(self._at, len(self._lines) - 1)][2]
        return NotReadable(f"{self._path.name}, line {number}: {what}")

    def _block(self) -> Node:
        indent, text, _number = self._lines[self._at]
        if text.startswith("- ") or text == "-":
            return self._list(indent)
        return self._map(indent)

    def _map(self, indent: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while self._at < len(self._lines):
            here, text, _number = self._lines[self._at]
            if here != indent or text.startswith("- "):
                break
            match = _KEY.match(text)
            if match is None:
                raise self._trouble("not a key with its value")
            self._at += 1
            key = match[1]
            if key[0] in "'\"":
                key = key[1:-1]
            found[key] = self._value((match[2] or "").strip(), indent, in_map=True)
        return found

    def _list(self, indent: int) -> list[Node]:
        found: list[Node] = []
        while self._at < len(self._lines):
            here, text, number = self._lines[self._at]
            if here != indent or not (text.startswith("- ") or text == "-"):
                break
            rest = text[1:].strip()
            if rest.startswith("- "):
                inner = indent + len(text) - len(rest)
                self._lines[self._at] = (inner, rest, number)
                found.append(self._list(inner))
            elif rest and rest[0] not in "'\"{[" and _KEY.match(rest):
                inner = indent + len(text) - len(rest)
                self._lines[self._at] = (inner, rest, number)
                found.append(self._map(inner))
            else:
                self._at += 1
                found.append(self._value(rest, indent, in_map=False))
        return found

    def _value(self, text: str, indent: int, *, in_map: bool) -> Node:
        if not text:
            if self._at < len(self._lines):
                here, following, _number = self._lines[self._at]
                if here > indent or (in_map and here == indent and following.startswith("- ")):
                    return self._block()
            return None
        if text in ("{}", "[]"):
            return {} if text == "{}" else []
        if text[0] in "[{&*!":
            raise self._trouble("this kind of value is not known here")
        if text[0] in "|>":
            return "\n".join(self._deeper(indent))
        if text[0] in "'\"":
            return self._quoted(text)
        return " ".join([text.split(" #")[0], *self._deeper(indent)])

    def _deeper(self, indent: int) -> list[str]:
        """The lines that go on with a text."""
        found = []
        while self._at < len(self._lines) and self._lines[self._at][0] > indent:
            found.append(self._lines[self._at][1])
            self._at += 1
        return found

    def _quoted(self, text: str) -> str:
        mark = text[0]
        while not _closed(text, mark):
            if self._at >= len(self._lines):
                raise self._trouble("a quotation that does not end")
            text = f"{text.removesuffix(chr(92))} {self._lines[self._at][1]}"
            self._at += 1
        inner = text[1:-1]
        return inner.replace("''", "'") if mark == "'" else inner.replace('\\"', '"').replace("\\n", "\n")


def _closed(text: str, mark: str) -> bool:
    if len(text) < 2 or not text.endswith(mark):
        return False
    if mark == "'":
        return text.count("'") % 2 == 0
    return not re.search(r"(?<!\\)(?:\\\\)*\\\"$", text)
