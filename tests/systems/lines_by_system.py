"""How many lines each practice system needs beyond what all of them share: `python -m tests.systems.lines_by_system`

A module belongs to whatever needs it: to one system, to two (the XML that Practice Manager and WorkflowMax have in common, the
JSON that WorkflowMax and Smokeball have in common), or to all. Counted are lines that are neither blank nor a comment nor part
of a docstring. Found by imports, not by names: what an adapter's module and its sign-in's module reach, and no other's do."""

from __future__ import annotations

import ast
import json
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STARTS = {
    "xero-practice-manager": ("desktop.services.practice.xero_practice_manager", "desktop.services.identity.xero"),
    "workflowmax-v1": ("desktop.services.practice.workflowmax_v1", "desktop.services.identity.workflowmax"),
    "workflowmax-v2": ("desktop.services.practice.workflowmax_v2", "desktop.services.identity.workflowmax"),
    "smokeball": (
        "desktop.services.practice.smokeball",
        "desktop.services.identity.smokeball",
        "desktop.services.delivery.bucket",
        "desktop.services.practice.smokeball_hosts",
    ),
}
ROOMS = ("desktop.services.practice.", "desktop.services.identity.", "desktop.services.delivery.bucket")


def file_of(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def reached(starts: tuple[str, ...]) -> set[str]:
    """Every module of the adapters' and the sign-ins' rooms that these reach."""
    found: set[str] = set()
    todo = list(starts)
    while todo:
        module = todo.pop()
        if module in found or not file_of(module).is_file():
            continue
        found.add(module)
        for node in ast.walk(ast.parse(file_of(module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
                todo += [name for name in names if name.startswith(ROOMS)]
    return found


def lines_in(module: str) -> int:
    """Lines of code of a module."""
    text = file_of(module).read_text(encoding="utf-8")
    told: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            told.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in told
        for number, line in enumerate(text.splitlines(), 1)
    )


def figures() -> dict[str, dict[str, int]]:
    """By who needs it, «a + b» for what two or three have in common: module -> lines. What all four need is «all»."""
    needed: dict[str, list[str]] = defaultdict(list)
    for system, starts in STARTS.items():
        for module in reached(starts):
            needed[module].append(system)
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for module, systems in sorted(needed.items()):
        whose = "all" if len(systems) == len(STARTS) else " + ".join(systems)
        found[whose][module.removeprefix("desktop.services.")] = lines_in(module)
    return dict(found)


def main() -> int:
    found = figures()
    told = {whose: {"lines": sum(modules.values()), "modules": modules} for whose, modules in sorted(found.items())}
    print(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
