"""What the idle tray must not carry: each of these was measured in megabytes (benchmarks/start_and_idle.py has the budget)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from desktop.lean import give_back, one_heap

ROOT = Path(__file__).resolve().parents[2]

WINDOWS = {"matter_picker", "deliveries", "connections", "settings_window", "welcome", "home", "signing_in", "widgets"}

IDLE = """
import json, sys
import desktop.app
from desktop.lean import guess_no_encodings
desktop.ui.load_qt()
import desktop.ui.first_icon, desktop.ui.instance, desktop.ui.tray_app, desktop.profile_desk
guess_no_encodings()
import desktop.services.office
print(json.dumps([name for name, module in sys.modules.items() if module is not None]))
"""


def _ran(code: str) -> str:
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_open_desk_brings_no_window_no_second_http_client_and_no_tables() -> None:
    """Windows are imported when opened, the OAuth client when a token is fetched, the keyring when a secret is read."""
    loaded = set(json.loads(_ran(IDLE)))
    roots = {name.partition(".")[0] for name in loaded}
    unwanted = {"authlib", "joserfc", "keyring", "secretstorage", "cryptography", "charset_normalizer", "chardet", "asyncio"}
    unwanted |= {"flask", "werkzeug", "click", "lxml", "numpy", "pydantic", "multiprocessing", "sqlite3", "sandbox"}
    assert not roots & unwanted
    assert not loaded & {f"desktop.ui.{name}" for name in WINDOWS}
    assert not {name for name in loaded if name.startswith(("desktop.ui.browser", "desktop.demo", "PySide6.QtWebEngine"))}
    assert {"requests", "apsw"} <= roots  # the test would prove nothing if the services were not there


def test_requests_reads_utf_8_json_and_bytes_without_the_guessing_package() -> None:
    """The mode that requests itself foresees for when no such package is installed; without its warning."""
    code = (
        "from desktop.lean import guess_no_encodings; guess_no_encodings()\n"
        "import requests\n"
        'answer = requests.Response(); answer.status_code = 200; answer._content = \'{"name": "Kōwhai"}\'.encode()\n'
        "assert answer.json() == {'name': 'Kōwhai'} and answer.text == '{\"name\": \"Kōwhai\"}'\n"
        "print('read')"
    )
    assert _ran(code).strip() == "read"


def test_a_process_that_already_has_requests_keeps_what_it_has() -> None:
    code = (
        "import sys, requests\n"
        "from desktop.lean import guess_no_encodings; guess_no_encodings()\n"
        "import charset_normalizer; print(charset_normalizer.__name__)"
    )
    assert _ran(code).strip() == "charset_normalizer"


def test_tuning_the_heap_is_harmless_wherever_it_runs() -> None:
    one_heap()
    give_back()
