"""The page about the platform file tells of every key that there is, and its sample is the one that is delivered."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

import msgspec

from desktop.settings import Settings, read_platform

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "platform-file.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "installer" / "platform.sample.toml"


def sections() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    hints = get_type_hints(Settings)
    return ((name, hints[name]) for name in Settings.__struct_fields__)


def test_the_sample_on_the_page_is_the_one_that_is_delivered() -> None:
    shown = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] == SAMPLE.read_text(encoding="utf-8")


def test_the_sample_changes_no_default() -> None:
    told = read_platform(SAMPLE)
    for name, section in sections():
        if name != "practice":
            assert getattr(told, name) == section(), name


def test_every_key_is_in_the_sample_or_named_behind_it() -> None:
    sample = tomllib.loads(SAMPLE.read_text(encoding="utf-8"))
    addresses = PAGE.partition("Not in the sample")[2].partition("\n\n")[0]
    for name, section in sections():
        for key in section.__struct_fields__:
            named = f"`{key}`" in addresses and f"`[{name}]`" in addresses
            assert key in sample.get(name, {}) or named, f"{name}.{key} is told nowhere"
