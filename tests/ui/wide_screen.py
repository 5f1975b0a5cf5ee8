"""Importing this before any Qt module gives the process an offscreen screen as large as an office's, with sharp pixels."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="iconnect-screen-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
# The order window, another user's process, reads it too.
_FOLDER.chmod(0o755)
_FILE = _FOLDER / "screen.json"
_FILE.write_text(
    '{"screens": [{"name": "wide", "x": 0, "y": 0, "width": 2400, "height": 1600, "logicalDpi": 96, "dpr": 1}]}', encoding="utf-8"
)
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={_FILE}"
# More pixels than on a plain screen: sharp on today's, and still small.
os.environ["QT_SCALE_FACTOR"] = "1.5"
