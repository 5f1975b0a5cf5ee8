"""What a page may leave on this PC, with the real engine."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from desktop.services.order_protocol import DownloadRefused, DownloadSaved, PageLoaded
from tests.browser.order_window_rig import PDF, Open, Site, Window

pytestmark = pytest.mark.browser


def on_disk(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "profile" / "downloads").iterdir())


def visit(site: Site, open_window: Open, **payload: object) -> Window:
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url(), **payload)
    window.wait(PageLoaded)
    return window


def fetch(window: Window, path: str, name: str = "") -> None:
    """As a click on a link to a file; with a name as the page would choose it."""
    window.run_in_page(
        f"{{const a = document.createElement('a'); a.href = {path!r}; if ({name!r}) a.download = {name!r}; "
        "document.body.append(a); a.click(); a.remove()}"
    )


def told(window: Window) -> str:
    """What the window says about files: its notice, and beside each file."""
    state = window.state()
    return " ".join([state["notice"], *(words for _name, _state, words in state["files"])])


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("../../../.bashrc.pdf", "bashrc.pdf"),
        ("CON.pdf", "_CON.pdf"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("deed.exe.pdf", "deed_exe.pdf"),
        ("dots....pdf", "dots.pdf"),
    ],
)
def test_a_hostile_name_is_made_safe(site: Site, open_window: Open, home: Path, header: str, kept: str) -> None:
    """G6: the file lies in our folder under a safe name, private, with the whole content."""
    window = visit(site, open_window)
    site.file("/f", PDF, header)
    fetch(window, "/f")
    saved = window.wait(DownloadSaved)
    assert saved.suggested_name == kept
    assert on_disk(home) == [kept]
    path = Path(saved.path)
    assert path.parent == home / "profile" / "downloads"
    assert path.read_bytes() == PDF
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("path", "name", "content", "content_type", "part"),
    [
        ("/setup", "setup.exe", b"MZ" * 50, "application/x-msdownload", "kind of file"),
        ("/deed", "deed\u202efdp.exe".encode().decode("latin-1"), b"MZ" * 50, "application/pdf", "kind of file"),
        ("/page", "result.html", b"<script>1</script>", "text/html", "kind of file"),
        ("/login", "result.pdf", b"<!doctype html>please sign in", "application/pdf", "not the PDF"),
        ("/empty", "result.pdf", b"", "application/pdf", "not the PDF"),
    ],
)
def test_what_is_no_document_is_not_kept(
    site: Site, open_window: Open, home: Path, path: str, name: str, content: bytes, content_type: str, part: str
) -> None:
    """G6: type limits, by name and, for a PDF, by content."""
    window = visit(site, open_window)
    site.file(path, content, name, content_type)
    fetch(window, path)
    assert part in window.wait(DownloadRefused).reason
    assert part in told(window)
    assert on_disk(home) == []
    assert not window.all(DownloadSaved)


def test_a_file_that_is_too_large_is_not_kept(site: Site, open_window: Open, home: Path) -> None:
    """G6: by what the server says, and by what really comes."""
    window = visit(site, open_window, most_download_bytes=100_000)
    site.file("/said", PDF + b"x" * 200_000, "said.pdf")
    fetch(window, "/said")
    window.wait(DownloadRefused)
    site.page("/blob", "")
    window.run_in_page(
        "const u = URL.createObjectURL(new Blob(['%PDF-' + 'x'.repeat(3000000)], {type: 'application/pdf'}));"
        "const a = document.createElement('a'); a.href = u; a.download = 'big.pdf'; document.body.append(a); a.click()"
    )
    window.wait_count(DownloadRefused, 2)
    assert on_disk(home) == []


def test_a_file_that_the_page_made_itself_is_saved(site: Site, open_window: Open, home: Path) -> None:
    window = visit(site, open_window)
    window.run_in_page(
        "const u = URL.createObjectURL(new Blob(['%PDF-1.4 made here'], {type: 'application/pdf'}));"
        "const a = document.createElement('a'); a.href = u; a.download = 'made.pdf'; document.body.append(a); a.click()"
    )
    assert window.wait(DownloadSaved).suggested_name == "made.pdf"
    assert on_disk(home) == ["made.pdf"]


def test_a_file_from_elsewhere_is_not_saved(site: Site, other_site: Site, open_window: Open, home: Path) -> None:
    """G6, G3: the same allow-list as for pages."""
    other_site.file("/f", PDF, "f.pdf")
    window = visit(site, open_window)
    fetch(window, other_site.url("/f", host="localhost"), "f.pdf")
    window.do("wait", text="not opened")
    assert on_disk(home) == []
    assert other_site.seen == []


def test_a_cut_line_leaves_no_half_file(site: Site, open_window: Open, home: Path) -> None:
    """G6: partial files are cleaned."""
    window = visit(site, open_window)
    site.file("/f", PDF * 5000, "f.pdf", cut=True)
    fetch(window, "/f")
    assert "cut" in window.wait(DownloadRefused).reason
    assert on_disk(home) == []


def test_closing_the_window_in_the_middle_leaves_no_half_file(site: Site, open_window: Open, home: Path) -> None:
    """G6: partial files are cleaned; a half file never carries the name."""
    go_on = threading.Event()
    window = visit(site, open_window)
    site.file("/f", PDF * 20_000, "f.pdf", wait_inside=go_on)
    fetch(window, "/f")
    window.do("wait", css="h1", text="safe")
    for _look in range(200):
        if on_disk(home):
            break
        window.do("state")
    assert len(on_disk(home)) == 1
    assert "partial" in on_disk(home)[0]
    window.process.ask_to_close()
    assert window.process.wait_closed(15)
    go_on.set()
    assert on_disk(home) == []


def test_many_files_at_once_are_bounded(site: Site, open_window: Open, home: Path) -> None:
    """G6: a page that starts a hundred downloads gets a few, and a sentence."""
    go_on = threading.Event()
    window = visit(site, open_window)
    for number in range(100):
        site.file(f"/f{number}", PDF, f"f{number}.pdf", wait_inside=go_on)
    for number in range(12):
        fetch(window, f"/f{number}", f"f{number}.pdf")
    window.wait(DownloadRefused, lambda one: "at once" in one.reason)
    go_on.set()
    window.wait(DownloadSaved)
    assert len(window.all(DownloadSaved)) <= 4


def test_two_files_of_one_name_both_stay(site: Site, open_window: Open, home: Path) -> None:
    window = visit(site, open_window)
    site.file("/f", PDF, "f.pdf")
    fetch(window, "/f")
    window.wait(DownloadSaved)
    fetch(window, "/f")
    window.wait_count(DownloadSaved, 2)
    assert on_disk(home) == ["f (2).pdf", "f.pdf"]


def test_only_a_pdf_is_offered_to_the_matter(site: Site, open_window: Open) -> None:
    window = visit(site, open_window)
    site.file("/f", b"a,b\n1,2\n", "table.csv", "text/csv")
    fetch(window, "/f")
    window.wait(DownloadSaved)
    assert "Add to matter J004521" not in window.do("labels")
    assert "Open table.csv" in window.do("labels")
