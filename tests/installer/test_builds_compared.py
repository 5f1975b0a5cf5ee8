"""Two builds compared, file by file."""

from __future__ import annotations

from pathlib import Path

from installer.compare import differences


def folder(at: Path, **files: bytes) -> Path:
    at.mkdir()
    for name, content in files.items():
        (at / name).write_bytes(content)
    return at


def test_equal_builds_have_no_difference(tmp_path: Path) -> None:
    """I13."""
    one, other = (folder(tmp_path / name, a=b"1", b=b"2") for name in ("one", "other"))
    assert differences(one, other) == []


def test_each_file_that_differs_or_is_missing_is_named(tmp_path: Path) -> None:
    """I13."""
    one = folder(tmp_path / "one", a=b"same", b=b"abc", c=b"")
    other = folder(tmp_path / "other", a=b"same", b=b"abd", d=b"")
    assert differences(one, other) == [
        "different: b (3 and 3 bytes, from byte 2)",
        "only in the first: c",
        "only in the second: d",
    ]
    (other / "link").symlink_to("a")
    (one / "link").symlink_to("b")
    assert "different: link" in differences(one, other)
