"""The wheel holds all that the program needs, and the program works from it, in any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(target)
    return target


def run(installed: Path, elsewhere: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ICONNECT_")}
    return subprocess.run(
        [sys.executable, "-P", *words],
        cwd=elsewhere,
        env={**environment, "PYTHONPATH": str(installed), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_wheel_holds_every_file_of_the_three_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    listed = subprocess.run(
        ["git", "ls-files", "desktop", "sandbox", "resources"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    tracked = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    assert tracked - names == set()
    assert any(name.startswith("resources/") and name.endswith(".svg") for name in names)
    assert "desktop/services/ledger/schema.sql" in names
    assert any(name.startswith("sandbox/pages/") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/")) or name.endswith(".pyc") for name in names)


def test_the_program_is_the_one_from_the_wheel_and_tells_its_version(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-c", "import desktop, sys; sys.stdout.write(desktop.__path__[0])")
    assert done.stdout == str(installed / "desktop")
    done = run(installed, tmp_path, "-m", "desktop", "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("iConnect")


def test_package_data_are_found_from_another_folder(installed: Path, tmp_path: Path) -> None:
    """The schema is read for a new ledger, the icons for the tray, the pages for the sandbox."""
    platform = tmp_path / "platform.toml"
    platform.write_text('[practice]\nsystem = "xero-practice-manager"\n', encoding="utf-8")
    done = run(
        installed, tmp_path, "-m", "desktop", "--platform", str(platform), "--profile", str(tmp_path / "p"), "status", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p" / "ledger.db").exists()
    icons = (
        "from PySide6.QtGui import QGuiApplication; app = QGuiApplication([])\n"
        "from desktop.ui.icons import tray_icon; from desktop.ui.state import IconState\n"
        "assert all(not tray_icon(state).pixmap(32, 32).isNull() for state in IconState)"
    )
    done = run(installed, tmp_path, "-c", icons)
    assert done.returncode == 0, done.stderr
    pages = (
        "from pathlib import Path; from sandbox.house import Sandbox; from urllib.request import ProxyHandler, build_opener\n"
        "with Sandbox(Path('box')) as box:\n"
        "    page = build_opener(ProxyHandler({})).open(box.url('controls') + '/', timeout=10).read()\n"
        "assert b'<html' in page.lower()"
    )
    done = run(installed, tmp_path, "-c", pages)
    assert done.returncode == 0, done.stderr
