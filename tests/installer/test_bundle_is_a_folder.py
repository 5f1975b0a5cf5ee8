"""What the bundle is and what it is not, and who may write to what the package installs."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

from installer import facts, linux_package
from installer.build import PROGRAMS

SPEC = facts.ROOT / "installer" / "iconnect.spec"


def calls(name: str) -> list[dict[str, object]]:
    """The literal keyword arguments of each call of `name` in the spec."""
    return [
        {word.arg or "": getattr(word.value, "value", ...) for word in node.keywords}
        for node in ast.walk(ast.parse(SPEC.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    ]


def test_the_bundle_is_a_folder_without_a_packer() -> None:
    """I3: a program that unpacks itself to a temporary folder, or is packed, is what scanners look for."""
    programs, collected = calls("EXE"), calls("COLLECT")
    assert len(programs) == len(collected) == 1
    assert programs[0]["exclude_binaries"] is True
    assert programs[0]["upx"] is False
    assert collected[0]["upx"] is False
    assert "version" in programs[0]
    assert "manifest" in programs[0]


def test_each_program_says_who_made_it_and_which_it_is() -> None:
    """I3: full version resource."""
    for program, description in PROGRAMS.items():
        text = facts.version_resource(program, facts.version(), description)
        words = dict(re.findall(r"StringStruct\('(\w+)', '([^']*)'\)", text))
        assert set(words) >= {
            *("CompanyName", "FileDescription", "FileVersion", "InternalName"),
            *("OriginalFilename", "ProductName", "ProductVersion"),
        }
        assert all(words.values())


def test_nothing_that_the_package_installs_is_writable_but_by_root(tmp_path: Path) -> None:
    """I7: whatever the build machine's own mask was."""
    before = os.umask(0)
    try:
        bundle = tmp_path / "bundle"
        (bundle / "_internal" / "licences").mkdir(parents=True)
        (bundle / "_internal" / "licences" / "LICENCES.txt").write_text("texts")
        (bundle / "iconnect").write_text("program")
        (bundle / "iconnect").chmod(0o777)
        tree = tmp_path / "deb"
        linux_package._lay_out(bundle, tree)
    finally:
        os.umask(before)
    files = [path for path in [tree, *tree.rglob("*")] if not path.is_symlink()]
    assert len(files) > 20
    assert [path.name for path in files if path.stat().st_mode & 0o022] == []
    assert os.access(tree / "usr/lib/iconnect/iconnect", os.X_OK)
