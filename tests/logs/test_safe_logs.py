"""The log lets nothing personal through, whoever passes it along; a crash leaves a report without values."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.logs import MOST_CRASHES, SafeLines, crashes, log_to, looked_at
from desktop.services.loggable import HIDDEN, error_kind, last_three, loggable

ROOT = Path(__file__).parents[2]
CANARY = "Whitlow-Margaret-7731"
START = "import sys\nfrom pathlib import Path\nfrom desktop.logs import report_crashes_to\nreport_crashes_to(Path(sys.argv[1]))"
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_PLACEHOLDER = re.compile(r"%(?:\.\d+)?([sdfr%])")
_SAFE_CALLS = {"loggable", "error_kind", "last_three", "_without_ids"}


def calls() -> Iterator[tuple[str, ast.Call, ast.Module]]:
    for path in sorted((ROOT / "desktop").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _LEVELS
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("log", "_log")
            ):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node, tree


def declared_safe(value: ast.expr, tree: ast.Module) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return value.func.id in _SAFE_CALLS
    if isinstance(value, ast.Name):  # a name that was given such a value
        return any(
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == value.id for target in node.targets)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id in _SAFE_CALLS
            for node in ast.walk(tree)
        )
    return False


def test_every_call_of_the_log_has_a_constant_text_and_declared_values() -> None:
    """J2: a new field without a declaration fails the build."""
    seen = 0
    for place, call, tree in calls():
        seen += 1
        template, *values = call.args
        assert isinstance(template, ast.Constant), f"{place}: the text must be a constant"
        assert isinstance(template.value, str)
        wanted = [kind for kind in _PLACEHOLDER.findall(template.value) if kind != "%"]
        assert len(wanted) == len(values), place
        for kind, value in zip(wanted, values, strict=True):
            assert kind in "df" or declared_safe(value, tree), f"{place}: wrap {ast.unparse(value)} in loggable(), or leave it out"
    assert seen > 20


def line_of(record: logging.LogRecord) -> str:
    return SafeLines().format(record)


def record(message: object, *args: object, name: str = "desktop.x", exc: BaseException | None = None) -> logging.LogRecord:
    info = None if exc is None else (type(exc), exc, exc.__traceback__)
    return logging.LogRecord(name, logging.INFO, "x.py", 1, message, args, info)


@pytest.mark.parametrize(
    "value", [CANARY, [CANARY], {"a": CANARY}, Path(CANARY), KeyError(CANARY), CANARY.encode(), object(), (CANARY,)]
)
def test_a_value_that_was_not_declared_is_hidden(value: object) -> None:
    """J2: also a list, a path, an exception."""
    line = line_of(record("read %s and %d, %s", value, 3, loggable("smokeball")))
    assert CANARY not in line
    assert json.loads(line)["message"] == f"read {HIDDEN} and 3, smokeball"


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "authlib", "keyring"])
def test_other_libraries_texts_are_hidden(name: str) -> None:
    """J1: their messages hold addresses."""
    assert CANARY not in line_of(record(f"GET /{CANARY}", name=name))
    assert CANARY not in line_of(record("GET %s", CANARY, name=name))
    assert CANARY not in line_of(record(KeyError(CANARY), name="desktop.x"))


def test_a_template_that_does_not_fit_its_values_still_makes_a_line() -> None:
    assert json.loads(line_of(record("two %s %s", CANARY)))["message"] == f"two %s %s {HIDDEN}"
    assert json.loads(line_of(record("a number %d", CANARY)))["message"] == f"a number %d {HIDDEN}"


def test_an_error_is_told_by_class_and_place() -> None:
    """J1: neither an exception's text nor this PC's folders."""

    def fail() -> None:
        raise ValueError(CANARY)

    with pytest.raises(ValueError) as caught:
        fail()
    told = json.loads(line_of(record("it failed", exc=caught.value)))
    assert told["error"] == "ValueError"
    assert told["where"][-1].endswith(" fail")
    assert CANARY not in json.dumps(told)
    assert str(ROOT) not in json.dumps(told)


def test_what_is_declared_safe_stays_short() -> None:
    assert error_kind(KeyError(CANARY)) == "KeyError"
    assert last_three("71000123") == "…123"
    assert last_three("123") == "…"


def test_the_file_rotates_and_is_private(tmp_path: Path) -> None:
    program = "import logging, sys; from pathlib import Path; from desktop.logs import log_to; log_to(Path(sys.argv[1]), 'x')\n"
    program += "for n in range(40000): logging.getLogger('desktop.x').info('line %d of a long night at the desk', n)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "logs")], check=True, cwd=ROOT)
    files = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert files == ["x.log", "x.log.1", "x.log.2", "x.log.3"]
    assert all(path.stat().st_size <= 1_000_000 for path in (tmp_path / "logs").iterdir())
    if os.name == "posix":
        assert (tmp_path / "logs" / "x.log").stat().st_mode & 0o077 == 0
    assert log_to.__doc__


@pytest.mark.parametrize("how", ["main", "thread", "native"])
def test_a_crash_leaves_a_report_that_is_offered_once(tmp_path: Path, how: str) -> None:
    """J8: local, and without values."""
    folder = tmp_path / "crashes"
    ways = {
        "main": f"raise ValueError('{CANARY}')",
        "thread": f"import threading\ndef f(): raise ValueError('{CANARY}')\nt = threading.Thread(target=f); t.start(); t.join()",
        "native": f"canary = '{CANARY}'\nimport faulthandler; faulthandler._sigsegv()",
    }
    program = f"{START}\n{ways[how]}"
    subprocess.run([sys.executable, "-c", program, str(folder)], check=False, cwd=ROOT, capture_output=True)
    found = crashes(folder)
    assert len(found) == 1
    text = found[0].read_text(encoding="utf-8")
    assert CANARY not in text
    assert ("ValueError" in text) == (how != "native")
    looked_at(found)
    assert crashes(folder) == ()


def test_the_newest_reports_are_kept_whatever_their_kind_and_the_oldest_go(tmp_path: Path) -> None:
    """J8: a report of the engine is named after its process, so that names alone tell nothing of age."""
    for at in range(MOST_CRASHES + 2):
        made = tmp_path / f"20260101T0000{at:02}-1.json"
        made.write_text("{}")
        os.utime(made, (1_000 + at, 1_000 + at))
    native = tmp_path / "17.native"
    native.write_text("Fatal Python error")
    os.utime(native, (9_000, 9_000))
    found = crashes(tmp_path)
    assert len(found) == MOST_CRASHES
    assert found[-1] == native
    assert found[0].name == "20260101T000003-1.json"
    looked_at(found)
    for at in range(3):
        made = tmp_path / f"20260102T0000{at:02}-1.json"
        made.write_text("{}")
        os.utime(made, (10_000 + at, 10_000 + at))
        looked_at(crashes(tmp_path))
    assert crashes(tmp_path) == ()
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == MOST_CRASHES
    assert "17.native.seen" in kept


def test_a_calm_end_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from desktop.logs import report_crashes_to; report_crashes_to(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "crashes")], check=True, cwd=ROOT)
    assert crashes(tmp_path / "crashes") == ()
    assert list((tmp_path / "crashes").iterdir()) == []
