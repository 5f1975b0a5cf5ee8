"""In which order the tray comes up: the lock, Qt, the icon, and only then everything else."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.__main__ import ORDER_WINDOW, main
from desktop.services.order_process import HIDDEN_ARGUMENT
from desktop.ui.first_icon import FIRST_FACE, FIRST_WORDS, after_first_paint, icon_file
from desktop.ui.state import icon_state, tooltip
from desktop.ui.tray import Tray

ROOT = Path(__file__).resolve().parents[2]


HEAVY = ("requests", "urllib3", "authlib", "joserfc", "keyring", "cryptography", "rapidfuzz", "lxml", "apsw", "sqlite3", "msgspec")
ALSO_LATER = (
    "asyncio",
    "email",
    "ssl",
    "_ssl",
    "hashlib",
    "_hashlib",
    "http",
    "logging",
    "decimal",
    "zoneinfo",
    "json.tool",
    "click",
)
OURS_BEFORE_THE_ICON = {
    *("desktop", "desktop.__main__", "desktop.app", "desktop.lean", "desktop.places", "desktop.ui", "desktop.ui.first_icon"),
    "desktop.ui.instance_lock",
}


@pytest.fixture(scope="module")
def before_the_icon(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that the real program has imported when its icon is offered to the host."""
    code = """
import json, sys
import desktop.ui
load = desktop.ui.load_qt
class Shown(BaseException): pass
def stop():
    load()
    import desktop.ui.first_icon as first
    show = first.show_first_icon
    def shown():
        show()
        raise Shown
    first.show_first_icon = shown
desktop.ui.load_qt = stop
from desktop.__main__ import main
try:
    main([])
except Shown:
    print(json.dumps(sorted(sys.modules)))
"""
    profile = tmp_path_factory.mktemp("start") / "profile"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "ICONNECT_PROFILE": str(profile)},
        check=True,
    )
    return set(json.loads(ran.stdout))


def test_nothing_heavy_is_imported_before_the_icon_shows(before_the_icon: set[str]) -> None:
    """The icon waits for Qt alone. What Qt's bindings import for themselves is theirs."""
    bindings = subprocess.run(
        [sys.executable, "-c", "import json, sys, PySide6.QtWidgets; print(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = before_the_icon - set(json.loads(bindings.stdout))
    roots = {name.partition(".")[0] for name in ours}
    assert not roots & {*HEAVY, *ALSO_LATER}
    assert not {name for name in ours if name.startswith("PySide6.")}
    assert {name for name in ours if name.partition(".")[0] == "desktop"} <= OURS_BEFORE_THE_ICON


def test_imports_are_python_s_own_again_once_qt_is_loaded() -> None:
    """PySide's own import keeps the source of every module that comes after it, some 15 MB for the services."""
    code = (
        "import builtins, desktop.ui; desktop.ui.load_qt()\n"
        "import PySide6.QtWidgets, PySide6.QtNetwork, json, logging, linecache\n"
        "assert builtins.__import__ is not builtins.__feature_import__\n"
        "print(sum(len(entry[2]) for entry in linecache.cache.values() if len(entry) > 1))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 20_000


def test_the_first_icon_says_what_the_tray_will_say_until_it_knows_more() -> None:
    assert f"tray-{icon_state(None)}" == FIRST_FACE
    assert tooltip(None) == FIRST_WORDS
    assert Path(icon_file(FIRST_FACE)).is_file()


def test_the_tray_goes_on_with_the_icon_that_is_shown_already(qapp: QApplication, qtbot: QtBot) -> None:
    """A second one beside it would flash up, and where the host sorts by age the person's icons would change places."""
    icon = QSystemTrayIcon()
    tray = Tray(icon=icon)
    assert tray.icon is icon
    assert icon.contextMenu() is tray.menu
    with qtbot.waitSignal(tray.clicked):
        icon.activated.emit(QSystemTrayIcon.ActivationReason.Trigger)
    tray.stop()


def test_what_comes_after_the_first_icon_comes_once_and_does_not_wait_for_a_host(qapp: QApplication, qtbot: QtBot) -> None:
    came: list[bool] = []
    after_first_paint(QSystemTrayIcon(), lambda: came.append(True))
    assert not came
    qtbot.waitUntil(lambda: bool(came))
    assert came == [True]


def test_a_host_that_never_tells_a_place_is_waited_for_a_moment_only(qapp: QApplication, qtbot: QtBot) -> None:
    class NoPlace(QSystemTrayIcon):
        def isVisible(self) -> bool:
            return True

    came: list[bool] = []
    after_first_paint(NoPlace(), lambda: came.append(True))
    qtbot.waitUntil(lambda: bool(came), timeout=2_000)


def test_a_fault_after_the_icon_ends_the_program_with_its_reason(tmp_path: Path) -> None:
    """An icon that answers nobody would be worse than none."""
    code = """
import desktop.ui.tray_app
def broken(*arguments, **options):
    raise RuntimeError("broken on purpose")
desktop.ui.tray_app.TrayApp.__init__ = broken
from desktop.__main__ import main
main([])
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "ICONNECT_PROFILE": str(tmp_path / "profile")},
        check=False,
    )
    assert ran.returncode == 1
    assert "broken on purpose" in ran.stderr


def test_the_frozen_program_is_also_the_order_window(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ORDER_WINDOW == HIDDEN_ARGUMENT
    monkeypatch.setattr("desktop.ui.browser.__main__.main", lambda: 77)
    with pytest.raises(SystemExit) as ended:
        main([HIDDEN_ARGUMENT])
    assert ended.value.code == 77


def _imports(tree: ast.AST) -> list[str]:
    """The modules that a source imports anywhere in it, in the order of its lines; what is for type checkers only left out."""
    found: list[tuple[int, str]] = []

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.Import):
            found.extend((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
        for child in ast.iter_child_nodes(node):
            walk(child)

    walk(tree)
    return [name for _, name in sorted(found)]


PROGRAMS = sorted(
    path.relative_to(ROOT)
    for folder in ("desktop", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "\nif __name__ ==" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", PROGRAMS, ids=str)
def test_every_program_imports_our_windows_before_qt(path: Path) -> None:
    """PySide6 6.12.0 on Python 3.11 would end the interpreter after some thousand calls (docs/decisions/0004)."""
    if path.parts[:2] == ("desktop", "ui"):
        return  # its package is imported before the module itself
    names = _imports(ast.parse((ROOT / path).read_text(encoding="utf-8")))
    qt = next((n for n, name in enumerate(names) if name.partition(".")[0] == "PySide6"), None)
    if qt is not None:
        ours_first = any(name == "desktop.ui" or name.startswith("desktop.ui.") for name in names[:qt])
        assert ours_first, f"{path}: import desktop.ui before PySide6"
