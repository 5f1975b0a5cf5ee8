"""No modules of ours import each other in a loop: not as they load, not later in a function, not for the type checker alone.

A loop that only the type checker sees costs nothing as the program runs; but whoever reads or moves one of its modules has to
carry all the others with it. What two modules share belongs in a third, below both."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def named_like(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(texts: Mapping[str, str]) -> dict[str, set[str]]:
    """Which of these modules each of them names in an import, wherever in it the import stands."""
    found: dict[str, set[str]] = {}
    for name, text in texts.items():
        named = found[name] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                named.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}:{node.lineno}: a relative import"
                assert node.module
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    named.add(whole if whole in texts else node.module)
        named &= texts.keys() - {name}
    return found


def circle(texts: Mapping[str, str]) -> list[str]:
    """One loop of modules, each imported by the next; empty where there is none."""
    try:
        TopologicalSorter(imports(texts)).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_loop() -> None:
    texts = {
        named_like(path): path.read_text(encoding="utf-8")
        for folder in ("desktop", "sandbox", "installer")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    assert len(texts) > 200
    assert circle(texts) == []


def test_a_loop_is_seen_wherever_its_imports_stand() -> None:
    plain = {"a": "from b import B", "b": "import c", "c": "import os"}
    assert circle(plain) == []
    assert circle({**plain, "c": "import a"})
    assert circle({**plain, "c": "def later():\n    from a import A"})
    assert circle({**plain, "c": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a import A"})
