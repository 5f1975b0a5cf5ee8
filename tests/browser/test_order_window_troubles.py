"""What goes wrong on the way to InfoTrack, with the real engine: each has its own page, and none orders anything twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from desktop.services.order_protocol import Crashed, DownloadRefused, DownloadSaved, NewLinkWanted, OfferedToMatter, PageLoaded
from tests.browser.order_window_rig import PDF, Open, Site, Window, base_environment, ordinary_user

pytestmark = pytest.mark.browser

NOWHERE = "iconnect-test.invalid"


def fetch(window: Window, path: str) -> None:
    window.run_in_page(
        f"{{const a = document.createElement('a'); a.href = {path!r}; document.body.append(a); a.click(); a.remove()}}"
    )


def test_a_name_that_is_not_found_has_its_own_words(open_window: Open) -> None:
    """G18: no line or no name; Try again is there, and the bar still says which matter this is."""
    window = open_window(f"https://{NOWHERE}/land", hosts=(NOWHERE,))
    window.wait(PageLoaded, lambda one: not one.ok)
    state = window.state()
    assert state["headline"] in ("InfoTrack's address was not found", "This PC is not on the internet")
    assert NOWHERE in state["advice"]
    labels = window.do("labels")
    assert "Try again" in labels
    assert "Order for matter J004521" in labels
    assert state["unnamed"] == []


def test_a_proxy_that_does_not_answer_is_named_as_the_cause(open_window: Open, home: Path) -> None:
    environ = base_environment(home, HTTPS_PROXY="http://127.0.0.1:1", https_proxy="http://127.0.0.1:1")
    del environ["NO_PROXY"]
    window = open_window(f"https://{NOWHERE}/land", hosts=(NOWHERE,), environ=environ)
    window.wait(PageLoaded, lambda one: not one.ok)
    assert window.state()["headline"] == "The office proxy is in the way"


def test_a_line_that_can_not_be_made_secure_is_not_gone_past(site: Site, open_window: Open) -> None:
    """G4: a machine between that answers in the open; nothing offers to go on."""
    window = open_window(site.url().replace("http:", "https:"), hosts=(f"127.0.0.1:{site.port}",))
    window.wait(PageLoaded, lambda one: not one.ok)
    assert window.state()["headline"] == "No secure line could be made"
    assert site.seen == []
    assert not [label for label in window.do("labels").split('", "') if "continue" in label.lower() or "anyway" in label.lower()]


def test_an_error_without_words_gets_ours(site: Site, open_window: Open) -> None:
    site.page("/", "")
    site.pages["/"].body = b""
    site.pages["/"].status = 503
    window = open_window(site.url())
    window.do("wait", text="InfoTrack answered with an error")
    site.page("/", "<h1>there again</h1>")
    window.do("press", name="Try again")
    window.do("wait", css="h1", text="there again")


def test_loading_again_never_sends_an_order_a_second_time(site: Site, open_window: Open) -> None:
    """G18: after a crash and by Reload the form that ordered was sent once."""
    site.page("/", "<form method=post action='/place'><button id=go>Order</button></form>")
    site.page("/place", "<h1>Order 71000123 placed</h1><a id=on href='/next'>on</a>")
    site.page("/next", "<h1>next</h1>")
    site.pages["/place"].headers = (("Cache-Control", "no-store"),)
    window = open_window(site.url())
    window.do("click", css="#go")
    window.do("wait", css="h1", text="placed")
    os.kill(window.state()["renderer_pid"], 9)
    window.wait(Crashed)
    assert "look at Orders and postings" in window.state()["advice"]
    window.do("press", name="Load the page again")
    window.wait_count(PageLoaded, 3)
    window.do("press", name="Reload")
    window.wait_count(PageLoaded, 4)
    window.run_in_page("location.href = '/next'")
    window.do("wait", css="h1", text="next")
    assert site.posted == ["/place"]


def test_going_back_to_a_sent_form_says_why_it_is_not_sent_again(site: Site, open_window: Open) -> None:
    """G18: a browser would offer to send it once more; an order is not a thing to offer that for."""
    site.page("/", "<form method=post action='/place'><button id=go>Order</button></form>")
    site.page("/place", "<h1>Order 71000123 placed</h1><a id=on href='/next'>on</a>")
    site.pages["/place"].headers = (("Cache-Control", "no-store"),)
    site.page("/next", "<h1>next</h1>")
    window = open_window(site.url())
    window.do("click", css="#go")
    window.do("wait", css="#on")
    window.do("click", css="#on")
    window.do("wait", css="h1", text="next")
    window.do("press", name="Back")
    window.do("wait", text="can't be shown a second time")
    assert "Try again" not in window.do("labels")
    assert site.posted == ["/place"]


def test_a_page_that_stops_again_and_again_is_not_loaded_for_ever(site: Site, open_window: Open) -> None:
    """G18: the third time the advice is another."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    for time in range(3):
        window.do("wait", css="h1", text="safe")
        os.kill(window.state()["renderer_pid"], 9)
        window.wait_count(Crashed, time + 1)
        window.do("wait", text="The page has stopped working")
        assert ("Close this window" in window.state()["advice"]) is (time == 2)
        assert window.state()["focus"] == "Load the page again"
        window.do("press", name="Load the page again")


def signed_out_in_a_second_page(site: Site, open_window: Open, **payload: object) -> Window:
    site.page("/", "<h1>order</h1><a id=more target=_blank href='/more'>more</a>")
    site.page("/more", "<h1>more</h1><a id=next href='/next'>next</a>")
    site.redirect("/next", "/Account/Login?ReturnUrl=x")
    site.page("/Account/Login", "<h1>Log in</h1>")
    window = open_window(site.url(), **payload)
    window.do("click", css="#more")
    window.do("wait", css="#next")
    window.do("click", css="#next")
    window.do("wait", text="asks for a sign-in again")
    window.wait_count(PageLoaded, 3)
    assert not window.state()["shows_page"], "ours stays before the site's sign-in page when that has come"
    return window


def test_signing_in_again_from_a_further_page_lets_both_go_on(site: Site, open_window: Open) -> None:
    """The link is asked for once, opens in the order's page, and the other page is loaded only when the person says so."""
    window = signed_out_in_a_second_page(site, open_window)
    assert window.state()["unnamed"] == []
    window.do("press", name="Sign in again")
    window.do("wait", text="Signing in again")
    window.do("press", name="Stop waiting")
    window.do("press", name="Sign in again")
    wanted = window.wait(NewLinkWanted)
    site.page("/again", "<h1>let in again</h1>")
    window.process.open_link(site.url("/again"))
    window.process.answer(wanted.id, ok=True)
    window.do("wait", css="h1", text="let in again")
    assert window.state()["tab"] == 0
    assert len(window.all(NewLinkWanted)) == 1
    assert site.seen.count("/more") == 1
    window.process.bring_forward()
    assert window.state()["tab_names"][0] == "Order"


def test_the_site_s_own_sign_in_page_can_be_shown_all_the_same(site: Site, open_window: Open) -> None:
    window = signed_out_in_a_second_page(site, open_window)
    window.do("press", name="Show InfoTrack's own sign-in page")
    window.do("wait", css="h1", text="Log in")
    assert window.state()["shows_page"]


def test_a_cut_file_can_be_asked_for_again_and_comes_whole(site: Site, open_window: Open, home: Path) -> None:
    """G6: nothing half is kept, and nothing is lost."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    site.file("/f", PDF * 5000, "f.pdf", cut=True)
    fetch(window, "/f")
    window.wait(DownloadRefused)
    assert window.state()["files"][0][1] == "failed"
    assert window.state()["notice"] == ""
    site.file("/f", PDF, "f.pdf")
    window.do("press", name="Try again f.pdf")
    assert Path(window.wait(DownloadSaved).path).read_bytes() == PDF
    assert [row[:2] for row in window.state()["files"]] == [["f.pdf", "saved"]]


def test_a_running_file_is_shown_can_be_cancelled_and_holds_up_a_careless_close(site: Site, open_window: Open, home: Path) -> None:
    """G6: how far it is; what was cancelled leaves no trace."""
    go_on = threading.Event()
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    site.file("/f", PDF * 20_000, "f.pdf", wait_inside=go_on)
    fetch(window, "/f")
    window.do("wait", text=" of 1.4 MB")
    labels = window.do("labels")
    assert "Saving f.pdf" in labels
    window.do("press", name="Cancel f.pdf")
    window.do("wait", text="cancelled")
    go_on.set()
    assert list((home / "profile" / "downloads").iterdir()) == []
    assert window.all(DownloadSaved) == []


@pytest.mark.skipif(os.name == "nt", reason="permission bits")
def test_a_folder_that_can_not_be_written_is_told_beside_the_file(site: Site, open_window: Open, home: Path) -> None:
    """G6: with the disk's own refusal, and the way on once it is mended."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    folder = home / "profile" / "downloads"
    site.file("/f", PDF, "f.pdf")
    folder.chmod(0o500)
    fetch(window, "/f")
    assert "did not let the file be written" in window.wait(DownloadRefused).reason
    folder.chmod(0o700)
    window.do("press", name="Try again f.pdf")
    assert Path(window.wait(DownloadSaved).path).read_bytes() == PDF


def test_a_file_that_could_not_be_recorded_can_be_added_again(site: Site, open_window: Open) -> None:
    """The reason stands beside the file, which stays; the second offer names the same order, so that the ledger knows it."""
    site.page("/", "<h1>safe</h1>")
    window = open_window(site.url())
    window.wait(PageLoaded)
    site.file("/order/download/71000123", PDF, "f.pdf")
    fetch(window, "/order/download/71000123")
    saved = window.wait(DownloadSaved)
    window.do("press", name="Add to matter J004521")
    window.do("type", name="Service", text="Title Search")
    window.do("press", name="File in J004521")
    offered = window.wait(OfferedToMatter)
    window.process.answer(offered.id, ok=False, message="The disk is full.")
    window.do("wait", text="Not added: The disk is full.")
    window.do("press", name="File in J004521")
    again = window.wait(OfferedToMatter, lambda one: one.id != offered.id)
    assert (again.path, again.order_id) == (saved.path, "71000123")
    window.process.answer(again.id, ok=True, message="Recorded for J004521.")
    window.do("wait", text="Recorded for J004521.")
    assert Path(saved.path).read_bytes() == PDF


ALONE = """
import json
from pathlib import Path
from PySide6.QtWidgets import QAbstractButton, QApplication
app = QApplication(['x'])
from desktop.services.order_protocol import NewLinkWanted, OfferedToMatter, OrderWindowStart
from desktop.ui.order_window import OrderWindow
told = []
start = OrderWindowStart(
    link='https://a.example/', matter_number='J1', hosts=('b.example',), profile_folder='profile', download_folder='profile/files'
)
window = OrderWindow(start, told.append)
window.show()
for name in ('a', 'b'):
    begun = window.downloads.begin_made(name + '.pdf')
    window.downloads.keep_made(begun.number, b'%PDF-1.7')
waiting, other = window.downloads_bar.rows
waiting.add_button.click()
window.fees_form._edits['order_id'].setText('71000123')
window.fees_form._edits['service'].setText('Title Search')
window.fees_form.send_button.click()
window.starting_process_gone()
other.add_button.click()
window.tab.sign_in_wanted.emit()
app.processEvents()
names, here = [], window.nextInFocusChain()
while here is not window:
    if isinstance(here, QAbstractButton) and here.isVisible():
        names.append(here.accessibleName())
    here = here.nextInFocusChain()
print(json.dumps({
    'names': names,
    'offered': len([one for one in told if isinstance(one, OfferedToMatter)]),
    'links': len([one for one in told if isinstance(one, NewLinkWanted)]),
    'waiting': waiting.words.text(), 'may add': waiting.add_button.isEnabled(), 'other': other.words.text(),
    'form': window.fees_form.isVisible(), 'notice': window.notice.sentence, 'advice': window.tab.notice.advice,
    'kept': sorted(path.name for path in Path('profile/files').iterdir()),
}))
import os, sys
sys.stdout.flush()
os._exit(0)
"""


def test_nothing_is_offered_into_the_void_once_the_program_is_closed(home: Path) -> None:
    """What waited for an answer is told to look first; the files stay; no link is waited for that can't come."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE],
        env=base_environment(home, PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        **ordinary_user(),  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["offered"], told["links"], told["form"], told["may add"]) == (1, 0, False, False)
    assert "before you add it again" in told["waiting"]
    assert "stays saved" in told["other"]
    assert "iConnect itself was closed" in told["notice"]
    assert "no new link" in told["advice"]
    assert told["kept"] == ["a.pdf", "b.pdf"]
    # Tab goes down the window, whenever its parts were made: bar, notice, our page, and the newest file first.
    order = [told["names"].index(name) for name in ("Reload", "Dismiss", "Sign in again", "Hide b.pdf", "Hide a.pdf")]
    assert order == sorted(order), told["names"]
