"""Names of saved files, which the web chooses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.browser.downloads import ZONE, mark_of_the_web, place_for, remove_partials
from desktop.ui.browser.file_names import MOST_LETTERS, looks_like_pdf, order_number_in, safe_name

NAMES = [
    ("Title Search.pdf", "", "Title Search.pdf"),
    ("../../../etc/cron.d/x.pdf", "", "x.pdf"),
    ("..\\..\\Startup\\x.pdf", "", "x.pdf"),
    ("/etc/passwd", "application/pdf", "passwd.pdf"),
    ("CON.pdf", "", "_CON.pdf"),
    ("nul.tar.pdf", "", "_nul.tar.pdf"),
    ("LPT1 .pdf", "", "_LPT1.pdf"),
    ("com³.pdf", "", "_com³.pdf"),
    ("x.pdf...", "", "x.pdf"),
    ("x.pdf . .", "", "x.pdf"),
    ("a\u202efdp.exe", "", None),
    ("a\u202egpj.pdf", "", "agpj.pdf"),
    ("deed.exe.pdf", "", "deed_exe.pdf"),
    ("deed.pdf.exe", "application/pdf", None),
    ("deed.pdf.lnk", "application/pdf", None),
    ("page.html", "text/html", None),
    ("picture.svg", "image/svg+xml", None),
    ("letter.docm", "", None),
    ("x.pdf:evil.exe", "", None),
    ("a<b>c|d?.pdf", "", "a_b_c_d_.pdf"),
    ("a\x00b\nc.pdf", "", "abc.pdf"),
    ("", "application/pdf", "document.pdf"),
    (".pdf", "", "document.pdf"),
    ("...", "application/pdf", "document.pdf"),
    ("order/download/71000123", "application/pdf; charset=x", "71000123.pdf"),
    ("result", "application/x-msdownload", None),
    ("result", "", None),
    ("Bericht für Müller & Co.pdf", "", "Bericht für Müller & Co.pdf"),
]


@pytest.mark.parametrize(("suggested", "content_type", "name"), NAMES, ids=[ascii(row[0])[1:50] for row in NAMES])
def test_a_name_from_the_web_becomes_a_safe_one_or_none(suggested: str, content_type: str, name: str | None) -> None:
    """G6: folders, device names, trailing dots, direction marks, double endings."""
    assert safe_name(suggested, content_type) == name


def test_three_hundred_letters_are_cut_and_keep_their_ending() -> None:
    """G6: 300 characters."""
    name = safe_name("x" * 300 + ".pdf")
    assert name is not None
    assert len(name) == MOST_LETTERS
    assert name.endswith("x.pdf")


@given(st.text(max_size=400), st.sampled_from(["", "application/pdf", "text/html", "image/png"]))
def test_every_name_stays_in_its_folder(suggested: str, content_type: str) -> None:
    """G6: any text at all."""
    for one in (suggested, suggested + ".pdf"):
        name = safe_name(one, content_type)
        if name is not None:
            assert Path(name).name == name
            assert 4 < len(name) <= MOST_LETTERS
            assert not set('<>:"/\\|?*').intersection(name)
            assert name == name.strip(" .")
            assert not name.startswith(".")


def test_a_taken_name_gets_a_number_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """G6: two files of one name."""
    (tmp_path / "a.pdf").write_bytes(b"first")
    partial = tmp_path / "x.partial"
    partial.write_bytes(b"second")
    assert place_for(partial, tmp_path, "a.pdf").name == "a (2).pdf"
    assert (tmp_path / "a.pdf").read_bytes() == b"first"
    assert (tmp_path / "a (2).pdf").read_bytes() == b"second"
    assert not partial.exists()


def test_windows_learns_that_a_file_came_from_the_internet(tmp_path: Path) -> None:
    """G6: mark of the web, without the address; nothing on other systems."""
    written: list[tuple[str, bytes]] = []
    mark_of_the_web(tmp_path / "a.pdf", platform="win32", write=lambda path, content: written.append((path, content)))
    mark_of_the_web(tmp_path / "a.pdf", platform="linux", write=lambda path, content: written.append((path, content)))
    assert written == [(f"{tmp_path / 'a.pdf'}:Zone.Identifier", ZONE)]
    assert b"http" not in ZONE.lower()


def test_a_disk_without_streams_does_not_lose_the_file(tmp_path: Path) -> None:
    def refuse(_path: str, _content: bytes) -> None:
        raise OSError("no streams here")

    mark_of_the_web(tmp_path / "a.pdf", platform="win32", write=refuse)


def test_old_partial_files_go_and_young_ones_stay(tmp_path: Path) -> None:
    """G6: what a window that was cut off left behind; another window may be saving right now."""
    for name, age in (("old.partial", 200_000), ("old.partial.download", 200_000), ("young.partial", 10), ("kept.pdf", 900_000)):
        path = tmp_path / name
        path.write_bytes(b"x")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    assert remove_partials(tmp_path, older_than=86_400, now=lambda: 1_000_000.0) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.pdf", "young.partial"]


def test_a_pdf_is_known_by_its_content() -> None:
    assert looks_like_pdf(b"\xef\xbb\xbf%PDF-1.7")
    assert not looks_like_pdf(b"<!doctype html>please sign in")
    assert not looks_like_pdf(b"x" * 1025 + b"%PDF-")


@pytest.mark.parametrize(
    ("url", "name", "number"),
    [
        ("https://api.infotrack.com.au/v1/order/download/71000123", "x.pdf", "71000123"),
        ("https://api.infotrack.com.au/v1/order/download/0071000123?x=1", "x.pdf", "71000123"),
        ("https://search.infotrack.com.au/file", "Title 71000123.pdf", "71000123"),
        ("https://search.infotrack.com.au/file", "12 of 71000123 and 71000124.pdf", ""),
        ("https://search.infotrack.com.au/file", "Title 12RP90001.pdf", ""),
    ],
)
def test_the_order_number_is_suggested_only_where_it_is_plain(url: str, name: str, number: str) -> None:
    assert order_number_in(url, name) == number
