"""A terminal for a command that asks."""

from __future__ import annotations

import pty

import pytest


def terminal() -> tuple[int, int]:
    """Both ends of a new one, as `pty.openpty` gives them."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"this machine gives no terminals: {error}")
