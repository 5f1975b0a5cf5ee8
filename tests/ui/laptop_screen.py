"""Importing this before any Qt module gives the process an offscreen screen of a common laptop: 1366 by 768 pixels, of which
QT_SCALE_FACTOR=2 leaves half."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="iconnect-laptop-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
_FILE = _FOLDER / "screen.json"
_FILE.write_text(
    '{"screens": [{"name": "laptop", "x": 0, "y": 0, "width": 1366, "height": 768, "logicalDpi": 96, "dpr": 1}]}', encoding="utf-8"
)
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={_FILE}"
