"""Updates are off unless the PC's administrator switched them on, and from where only the administrator says."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.services.updates.policy import PolicyError, read_policy


def test_without_a_policy_nothing_is_looked_for(tmp_path: Path) -> None:
    """I12."""
    assert read_policy(tmp_path).updates.enabled is False


@pytest.mark.parametrize("url", ["https://updates.firm.example/iconnect", "http://127.0.0.1:8000", "http://localhost:8000/x"])
def test_a_policy_names_where_to_look(tmp_path: Path, url: str) -> None:
    """I12."""
    (tmp_path / "policy.toml").write_text(f'[updates]\nenabled = true\nurl = "{url}"\nroot = "/etc/iconnect/root.json"\n')
    assert read_policy(tmp_path).updates.url == url


@pytest.mark.parametrize(
    "text",
    [
        '[updates]\nenabled = "yes"\n',
        "[updates]\nenable = true\n",
        "[update]\n",
        "[updates",
        "[updates]\nenabled = true\n",
        '[updates]\nenabled = true\nurl = "http://updates.firm.example"\n',
        '[updates]\nenabled = true\nurl = "https://user:secret@updates.firm.example"\n',
        '[updates]\nenabled = true\nurl = "file:///etc"\n',
        '[updates]\nenabled = true\nurl = "https://updates.firm.example"\n',
        '[updates]\nenabled = true\nurl = "https://[::1"\n',
    ],
)
def test_a_policy_that_is_not_right_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "policy.toml").write_text(text)
    with pytest.raises(PolicyError, match=r"policy\.toml"):
        read_policy(tmp_path)
