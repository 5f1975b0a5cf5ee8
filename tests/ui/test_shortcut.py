"""The keys that bring the picker forward: read, asked for, pressed on a virtual screen, and where they can't be had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from desktop.ui.shortcut import BadShortcut, Shortcut, cannot, read_shortcut
from desktop.ui.shortcut_windows import modifiers_and_key
from tests.ui.test_tray_on_screen import Program
from tests.ui.virtual_screen import TOOLS, Screen

on_screen = [
    pytest.mark.screen,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="needs " + ", ".join(TOOLS)),
]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Ctrl+Alt+I", "Ctrl+Alt+I"),
        ("alt + control + i", "Ctrl+Alt+I"),
        ("Win+Shift+7", "Shift+Meta+7"),
        ("Ctrl+f9", "Ctrl+F9"),
        ("Ctrl+Shift+F12", "Ctrl+Shift+F12"),
    ],
)
def test_a_shortcut_is_read_however_it_is_typed(text: str, read: str) -> None:
    assert str(read_shortcut(text)) == read


@pytest.mark.parametrize(
    "text", ["I", "Ctrl+I", "Shift+I", "Shift+F4", "Ctrl+Alt+", "Ctrl+Ctrl+I", "Ctrl+Alt+F13", "Hyper+Alt+I", "Ctrl+Alt+é"]
)
def test_a_shortcut_that_would_take_a_key_from_others_is_refused(text: str) -> None:
    with pytest.raises(BadShortcut, match="such as Ctrl"):
        read_shortcut(text)


def test_windows_is_asked_with_its_own_numbers_and_without_repeats() -> None:
    assert modifiers_and_key(Shortcut(("Ctrl", "Alt"), "I")) == (0x4003, 0x49)
    assert modifiers_and_key(Shortcut(("Ctrl",), "F12")) == (0x4002, 0x7B)


def test_where_keys_cannot_be_had_a_person_is_told_what_to_do_instead() -> None:
    """Under Wayland no program may listen; the desktop's own settings can start one."""
    assert cannot({"DISPLAY": ":0"}, "linux") == ""
    assert cannot({}, "win32") == ""
    for environment, platform in (({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, "linux"), ({}, "darwin"), ({}, "linux")):
        assert "the command iconnect" in cannot(environment, platform)


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


class TestOnAScreen:
    pytestmark = on_screen

    def test_the_keys_open_the_picker_from_wherever_the_person_is(self, screen: Screen) -> None:
        screen.start_host()
        program = Program(screen, "keys=Ctrl+Alt+I")
        try:
            program.wait("icon")
            screen.do("key", "ctrl+alt+i")
            program.wait("window iConnect - Choose a matter")
        finally:
            program.close()

    def test_keys_that_another_program_holds_are_told(self, screen: Screen) -> None:
        screen.start_host()
        first, second = Program(screen, "keys=Ctrl+Alt+I"), None
        try:
            first.wait("icon")
            second = Program(screen, "keys=Ctrl+Alt+I")
            assert "Another program uses it already" in second.wait("notice The shortcut")
        finally:
            first.close()
            if second is not None:
                second.close()
