"""An order from the link to the saved PDF, in the real window."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.services.order_protocol import DownloadSaved, OfferedToMatter, Opened, PageLoaded
from tests.browser.order_window_rig import PDF, Open, Site

pytestmark = pytest.mark.browser


def order_site(site: Site) -> None:
    site.redirect("/land", "/order")
    site.page(
        "/order",
        "<h1>Order a search</h1><form action='/done'><label>Title reference <input id=ref name=ref></label> "
        "<select id=state name=state><option value=''>-</option><option>QLD</option></select> <button id=go>Order</button></form>",
    )
    site.page("/done", "<h1>Order 71000123 placed</h1><a id=pdf href='/v1/order/download/71000123'>Result</a>")
    site.file("/v1/order/download/71000123", PDF, "Title Search 12RP90001.pdf")


def test_a_person_orders_and_the_saved_pdf_is_offered_to_the_matter(site: Site, open_window: Open) -> None:
    order_site(site)
    window = open_window(site.url("/land"))
    assert window.wait(Opened).sandboxed
    assert window.wait(PageLoaded).first
    window.do("fill", css="#ref", text="12RP90001")
    window.do("choose", css="#state", text="QLD")
    window.do("click", css="#go")
    assert "71000123" in window.do("wait", css="h1", text="placed")
    window.do("click", css="#pdf")
    saved = window.wait(DownloadSaved)
    assert Path(saved.path).read_bytes() == PDF
    assert saved.suggested_name == "Title Search 12RP90001.pdf"
    window.do("press", name="Add to matter J004521")
    window.do("type", name="Service", text="Title Search")
    window.do("press", name="File in J004521")
    offered = window.wait(OfferedToMatter)
    assert (offered.path, offered.order_id, offered.service) == (saved.path, "71000123", "Title Search")
    window.process.answer(offered.id, ok=True, message="Filed with J004521.")
    window.do("wait", text="Filed with J004521.")
