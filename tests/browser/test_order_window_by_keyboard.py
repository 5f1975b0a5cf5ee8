"""The order window on a screen, worked with real keys and a real mouse: pages, words, sizes, paper, files."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.services.order_protocol import DownloadSaved, OfferedToMatter, PageLoaded
from tests.browser.order_window_rig import Open, Site, Window, base_environment
from tests.ui.virtual_screen import TOOLS, Screen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.screen,
    pytest.mark.skipif(any(shutil.which(tool) is None for tool in TOOLS), reason="needs Xvfb, openbox and xdotool"),
]


@pytest.fixture
def screen() -> Iterator[Screen]:
    made = Screen()
    yield made
    made.close()


def until(window: Window, fits: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
    """The window's state once it fits; each look is a question to its process, so nothing spins."""
    end = time.monotonic() + seconds
    while True:
        state = window.state()
        if fits(state):
            return state
        assert time.monotonic() < end, state


def on_screen(site: Site, open_window: Open, screen: Screen, home: Path) -> Window:
    site.page(
        "/",
        "<h1>Order a title search</h1><p>One title, another title, a last title.</p>"
        "<a id=terms target=_blank href='/terms'>Terms</a> <a id=prices target=_blank href='/prices'>Prices</a>",
    )
    for name in ("terms", "prices"):
        site.page(f"/{name}", f"<h1>{name}</h1><script>document.title = 'Our {name}'</script>")
    environ = base_environment(home, QT_QPA_PLATFORM="xcb", DISPLAY=screen.display)
    window = open_window(site.url(), environ=environ)
    window.wait(PageLoaded)
    window.do("wait", css="h1", text="title search")
    screen.do("search", "--sync", "--onlyvisible", "--name", "iConnect - Order for J004521", "windowactivate", "--sync")
    return window


def test_words_are_found_and_sizes_changed_by_keys_and_wheel(site: Site, open_window: Open, screen: Screen, home: Path) -> None:
    window = on_screen(site, open_window, screen, home)
    screen.do("key", "ctrl+f")
    until(window, lambda state: state["focus"] == "Find in page")
    screen.do("type", "title")
    until(window, lambda state: state["found"] == "1 of 4")
    screen.do("key", "F3")
    until(window, lambda state: state["found"] == "2 of 4")
    screen.do("key", "shift+F3")
    state = until(window, lambda state: state["found"] == "1 of 4")
    assert state["unnamed"] == []
    screen.do("type", "zzz")
    until(window, lambda state: state["found"] == "Not found")
    screen.do("key", "Escape")
    until(window, lambda state: state["found"] is None and state["focus"] != "Find in page")
    screen.do("key", "ctrl+plus")
    until(window, lambda state: state["zoom"] == 110)
    screen.do("mousemove", "600", "500", "keydown", "ctrl", "click", "4", "keyup", "ctrl")
    until(window, lambda state: state["zoom"] == 125)
    assert "Size 125 %, back to 100 %" in window.do("labels")
    screen.do("key", "ctrl+minus")
    until(window, lambda state: state["zoom"] == 110)
    second = open_window(site.url())
    second.wait(PageLoaded)
    assert second.state()["zoom"] == 110
    screen.do("key", "ctrl+0")
    until(window, lambda state: state["zoom"] == 100)
    assert not (home / "profile" / "order-window-zoom").exists()


def test_pages_are_opened_reached_and_closed_and_the_order_stays(site: Site, open_window: Open, screen: Screen, home: Path) -> None:
    """G7: one page for a click, named by its title; only the window's end is the end of the order's page."""
    window = on_screen(site, open_window, screen, home)
    window.do("click", css="#terms")
    until(window, lambda state: state["tab_names"] == ["Order", "Our terms"])
    screen.do("key", "ctrl+1")
    until(window, lambda state: state["tab"] == 0)
    time_between_clicks(window)
    window.do("click", css="#prices")
    state = until(window, lambda state: state["tab_names"] == ["Order", "Our terms", "Our prices"])
    assert state["unnamed"] == []
    for keys, tab in (("ctrl+Tab", 0), ("ctrl+2", 1), ("ctrl+shift+Tab", 0), ("ctrl+9", 2), ("ctrl+8", 2)):
        screen.do("key", keys)
        until(window, lambda state, tab=tab: state["tab"] == tab)  # type: ignore[misc]
    screen.do("key", "ctrl+w")
    until(window, lambda state: state["tab_names"] == ["Order", "Our terms"])
    screen.do("key", "ctrl+1")
    until(window, lambda state: state["tab"] == 0)
    screen.do("key", "ctrl+w")
    until(window, lambda state: "closes all" in state["notice"])
    assert window.process.is_running


def time_between_clicks(window: Window) -> None:
    """A second page for a click that comes at once is taken for the same click."""
    end = time.monotonic() + 0.8
    while time.monotonic() < end:
        window.state()


def test_a_page_becomes_a_pdf_of_the_matter_by_keys_alone(site: Site, open_window: Open, screen: Screen, home: Path) -> None:
    """Without a printer printing says so; the PDF is made by the engine and handed in like any saved file, once."""
    window = on_screen(site, open_window, screen, home)
    screen.do("key", "ctrl+p")
    until(window, lambda state: "No printer is set up" in state["notice"])
    screen.do("key", "ctrl+s")
    saved = window.wait(DownloadSaved)
    assert Path(saved.path).read_bytes().startswith(b"%PDF-")
    assert saved.suggested_name == "Site.pdf"
    screen.do("key", "ctrl+j")
    until(window, lambda state: state["focus"] == "Add to matter J004521")
    screen.do("key", "space")
    until(window, lambda state: state["form"] and state["focus"] == "Order number")
    assert window.state()["unnamed"] == []
    screen.do("type", "71000123")
    screen.do("key", "Tab")
    screen.do("type", "Title Search")
    screen.do("key", "Return")
    offered = window.wait(OfferedToMatter)
    assert (offered.path, offered.order_id) == (saved.path, "71000123")
    until(window, lambda state: "Being recorded" in state["files"][0][2])
    window.process.answer(offered.id, ok=True, message="Recorded for J004521. It is on its way.")
    until(window, lambda state: state["files"][0][2].startswith("Recorded for J004521"))
    seen = set()
    for _part in range(12):
        screen.do("key", "F6")
        seen.add(window.state()["focus"])
    assert {"Reload", "Dismiss", "Open Site.pdf"} <= seen
    assert len(window.all(OfferedToMatter)) == 1


def test_the_menu_opens_by_a_key_and_its_lines_work(site: Site, open_window: Open, screen: Screen, home: Path) -> None:
    window = on_screen(site, open_window, screen, home)
    screen.do("key", "F10")
    subprocess.run(["xdotool", "sleep", "0.5"], env=screen.environment, check=True)
    screen.do("key", "Down", "Return")
    until(window, lambda state: state["found"] is not None)
