"""The InfoTrack stand-in behaves as the facts say: links, orders, messages, files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.house import Sandbox
from tests.sandbox.visitors import Controls, Supplier, parse

MATTER: dict[str, Any] = {
    "EntryPoint": "Queensland/search",
    "Organisations": [{"Name": "Kestrel Lane Holdings Pty Ltd", "Acn": "000000019"}],
    "PropertyDetails": [{"LotPlans": [{"Lot": "12", "PlanType": "RP", "PlanNumber": "90001"}]}],
}


def orders_of(supplier: Supplier) -> list[dict[str, Any]]:
    """The feed's messages as flat objects."""
    return [row["order"] for row in supplier.feed(limit=500)["messages"]]


def test_a_login_that_is_wrong_is_refused_in_text(box: Sandbox) -> None:
    wrong = Supplier(box, ("kowhai-rata", "wrong"))
    for answer in (wrong.mapping(), wrong.download(71000123)):
        assert answer.status_code == 401
        assert "denied" in answer.text


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"RetailerReference": ""}, "RetailerReference is required"),
        ({"State": None}, "State must be text"),
        ({"CourtDetails": [{"ClaimAmount": 12.5}]}, "CourtDetails/ClaimAmount must be text"),
    ],
)
def test_a_mapping_that_is_not_as_expected_is_refused_in_words(supplier: Supplier, body: dict[str, Any], words: str) -> None:
    answer = supplier.mapping(**body)
    assert answer.status_code == 400
    assert words in answer.text


def test_the_link_leads_over_two_hosts_to_the_filled_in_form(supplier: Supplier) -> None:
    with requests.Session() as browser:
        page = browser.get(supplier.mapping(**MATTER).json()["Url"])
        hosts = [urlsplit(each.url).hostname for each in (*page.history, page)]
        assert hosts == ["127.0.0.1", "localhost", "localhost"]
        assert urlsplit(page.url).path == "/Queensland/search"
        assert 'id="reference" name="reference" value="12RP90001"' in page.text
        assert re.search(r'id="client-reference" value="J004521" readonly', page.text)


def test_a_link_signs_in_once(supplier: Supplier) -> None:
    url = supplier.mapping().json()["Url"]
    assert requests.get(url).status_code == 200
    again = requests.get(url)
    assert again.status_code == 410
    assert "Link no longer valid" in again.text


def test_a_link_is_short_lived(supplier: Supplier, controls: Controls) -> None:
    url = supplier.mapping().json()["Url"]
    controls.post("clock", advance=121)
    assert requests.get(url).status_code == 410


def test_the_key_of_the_url_is_spelt_in_more_than_one_way_or_missing(supplier: Supplier, controls: Controls) -> None:
    for keys, names in (("camel", {"url", "token"}), ("lower", {"URL", "TOKEN"}), ("none", {"Token"})):
        controls.post("switches", mapping_keys=keys)
        assert set(supplier.mapping().json()) == names


def test_without_a_session_every_page_says_that_it_ended(box: Sandbox, supplier: Supplier, controls: Controls) -> None:
    assert "Session ended" in requests.get(f"{box.desk.site_url}/orders").text
    with requests.Session() as browser:
        browser.get(supplier.mapping().json()["Url"])
        assert "Session ended" not in browser.get(f"{box.desk.site_url}/orders").text
        controls.post("clock", advance=3600)
        assert "Session ended" in browser.get(f"{box.desk.site_url}/orders").text


def test_a_search_is_ordered_by_clicking_and_a_double_click_orders_once(supplier: Supplier, settled: Callable[[], None]) -> None:
    with requests.Session() as browser:
        start = browser.get(supplier.mapping(**MATTER).json()["Url"])
        site = f"http://{urlsplit(start.url).netloc}"
        page = browser.post(f"{site}/service/qld-title", data={"reference": "12RP90001"}).text
        assert '<td class="money" id="total">26.60</td>' in page
        form = re.search(r'name="form" value="([^"]+)"', page)
        assert form
        placed = [browser.post(f"{site}/order/qld-title", data={"reference": "12RP90001", "form": form[1]}) for _ in range(2)]
        assert placed[0].url == placed[1].url
        assert 'id="order-number">71000123<' in placed[0].text
        settled()
        result = browser.get(f"{site}/orders/71000123")
        assert 'id="open-result"' in result.text
        assert 'target="_blank"' in result.text
        file = browser.get(f"{site}/orders/71000123/file")
        assert file.headers["Content-Disposition"].startswith("attachment")
        assert file.content.startswith(b"%PDF-")
    assert [order["Status"] for order in orders_of(supplier)] == ["In Progress", "Complete"]


def test_a_message_says_what_the_mapping_said(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("orders", matter="J004521", service="qld-title", retailer_reference="ICONNECT1_k7f3q2|xpm|7")
    settled()
    started, done = orders_of(supplier)
    assert (started["DateCompleted"], started["IsBillable"], started["DownloadUrl"]) == ("0001-01-01T00:00:00", False, None)
    assert (done["ClientReference"], done["RetailerReference"]) == ("J004521", "ICONNECT1_k7f3q2|xpm|7")
    assert (done["RetailerFee"], done["RetailerFeeGST"], done["SupplierFee"], done["SupplierFeeGST"]) == (6.0, 0.6, 20.0, 0.0)
    assert re.fullmatch(r"[0-9a-f]{32}", done["FileHash"])


def test_the_sums_of_every_service_hold(box: Sandbox, supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    from sandbox.services import SERVICES

    for code in SERVICES:
        controls.post("orders", matter="J004500", service=code)
    settled()
    done = [order for order in orders_of(supplier) if order["Status"] == "Complete"]
    assert len(done) == len(SERVICES) + 2  # a package is a list, with three children
    for order in done:
        cents = {name: Decimal(str(order[name])) for name in order if "Fee" in name}
        for group in ("RetailerFee", "SupplierFee", "TotalFee"):
            assert cents[group] + cents[f"{group}GST"] == cents[f"{group}Total"]
        assert cents["RetailerFeeTotal"] + cents["SupplierFeeTotal"] == cents["TotalFeeTotal"]


def test_a_package_is_a_parent_without_fees_and_its_children(
    supplier: Supplier, controls: Controls, settled: Callable[[], None]
) -> None:
    parent = controls.post("orders", matter="J004500", service="package")["id"]
    settled()
    done = [order for order in orders_of(supplier) if order["Status"] in ("Complete", "List")]
    assert sorted(order["ParentOrderId"] for order in done) == [0, parent, parent, parent]
    (listed,) = [order for order in done if order["OrderId"] == parent]
    assert (listed["Status"], listed["TotalFeeTotal"], listed["IsBillable"], listed["DownloadUrl"]) == ("List", 0.0, False, None)


def test_the_feed_goes_on_from_its_cursor(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    assert supplier.feed() == {"messages": [], "next": "0"}
    for _ in range(3):
        controls.post("orders", matter="J004500")
    settled()
    first = supplier.feed(limit=4)
    rest = supplier.feed(after=first["next"])
    sequences = [row["sequence"] for row in (*first["messages"], *rest["messages"])]
    assert len(first["messages"]) == 4
    assert sequences == sorted(set(sequences))
    assert supplier.feed(after=rest["next"]) == {"messages": [], "next": rest["next"]}


def test_the_feed_repeats_old_messages_after_newer_ones(
    supplier: Supplier, controls: Controls, settled: Callable[[], None]
) -> None:
    controls.post("switches", feed_repeat_every=2)
    for _ in range(4):
        controls.post("orders", matter="J004500")
    settled()
    sequences = [row["sequence"] for row in supplier.feed()["messages"]]
    assert len(sequences) > len(set(sequences)) == 8
    assert sequences != sorted(sequences)


def test_the_feed_can_refuse_a_login_and_ask_to_wait(supplier: Supplier, controls: Controls) -> None:
    controls.post("faults", name="status", where="GET v1/messages", status=503, retry_after="7", count=1)
    answer = requests.get(f"{supplier.box.url('infotrack')}/v1/messages", auth=supplier.login)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    controls.post("switches", feed_login=supplier.login[0])
    assert requests.get(f"{supplier.box.url('infotrack')}/v1/messages", auth=supplier.login).status_code == 401


def test_the_dialects_say_the_same(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500")["id"]
    settled()
    for dialect in ("flat", "strings", "wrapped"):
        controls.post("switches", dialect=dialect)
        controls.post(f"orders/{order}/message", repeat="last")
    flat, strings, wrapped = orders_of(supplier)[-3:]
    assert wrapped == {"Order": {"-Version": "1.0", **strings}}
    assert (flat["RetailerFee"], strings["RetailerFee"]) == (6.0, "6.00")
    assert (flat["IsBillable"], strings["IsBillable"]) == (True, "true")


@pytest.mark.parametrize(("flow", "files"), [("fees_first", [False, True]), ("document_first", [True, True]), ("together", [True])])
def test_fees_and_document_may_come_apart(
    supplier: Supplier, controls: Controls, settled: Callable[[], None], flow: str, files: list[bool]
) -> None:
    controls.post("switches", order_flow=flow, announce=False)
    controls.post("orders", matter="J004500")
    settled()
    told = orders_of(supplier)
    assert [order["DownloadUrl"] is not None for order in told] == files
    assert told[0]["TotalFeeTotal"] == (0.0 if flow == "document_first" else 26.6)
    assert told[-1]["TotalFeeTotal"] == 26.6


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_the_drop_folder_gets_a_file_for_each_message(
    box: Sandbox, controls: Controls, settled: Callable[[], None], encoding: str
) -> None:
    controls.post("switches", results="folder", folder_encoding=encoding)
    controls.post("orders", matter="Ōt-1 & <2>", reference="Te Whānau")
    settled()
    files = sorted(box.world.drop_folder.iterdir())
    assert [file.suffix for file in files] == [".xml", ".xml"]
    sequences = []
    for file in files:
        root = parse(file.read_bytes())
        assert (root.tag, root.get("Version")) == ("Order", "1.0")
        assert (root.findtext("ClientReference"), root.findtext("Reference")) == ("Ōt-1 & <2>", "Te Whānau")
        sequences.append(int(root.findtext("SequenceNumber", "")))
    assert sorted(sequences) == [5001, 5002]


def test_a_dropped_file_can_be_json_with_a_bom(box: Sandbox, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("switches", results="folder", folder_format="json", folder_encoding="utf-8-sig", announce=False)
    controls.post("orders", matter="J004500")
    settled()
    (file,) = box.world.drop_folder.iterdir()
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    assert json.loads(file.read_text(encoding="utf-8-sig"))["ClientReference"] == "J004500"


def test_a_dropped_file_can_grow_slowly(box: Sandbox, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("switches", results="folder", folder_slow_seconds=600, announce=False)
    controls.post("orders", matter="J004500")
    folder = box.world.drop_folder
    sizes: list[int] = []
    while not list(folder.iterdir()):
        pass
    for _ in range(5):
        sizes.append(sum(file.stat().st_size for file in folder.iterdir()))
        controls.post("clock", advance=121)
        _wait_for_growth(folder, sizes[-1])
    settled()
    assert sizes[0] == 0
    assert sizes == sorted(set(sizes))
    (file,) = folder.iterdir()
    assert parse(file.read_bytes()).findtext("ClientReference") == "J004500"


def _wait_for_growth(folder: Any, size: int) -> None:
    while sum(file.stat().st_size for file in folder.iterdir()) <= size:
        pass


def test_prices_change_and_money_comes_back(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500")["id"]
    settled()
    controls.post(f"orders/{order}/price", supplier_fee="25.00")
    controls.post(f"orders/{order}/refund", kind="same")
    controls.post(f"orders/{order}/price", supplier_fee="20.00", retailer_fee="6.00", retailer_gst="0.60")
    credit = controls.post(f"orders/{order}/refund", kind="new")["id"]
    told = [(each["OrderId"], each["TotalFeeTotal"], each["IsBillable"]) for each in orders_of(supplier)[2:]]
    assert told == [(order, 31.6, True), (order, 0.0, False), (order, 26.6, True), (credit, -26.6, True)]


def test_a_new_version_has_a_new_mark_and_other_bytes(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500")["id"]
    settled()
    before = supplier.download(order).content
    controls.post(f"orders/{order}/version")
    marks = [each["FileHash"] for each in orders_of(supplier)[1:]]
    assert marks[0] != marks[1]
    assert supplier.download(order).content != before


def test_any_message_can_be_made(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500", without=["RetailerReference"])["id"]
    settled()
    controls.post(f"orders/{order}/message", fields={"Status": "Quarantined"}, without=["ClientReference"])
    last = orders_of(supplier)[-1]
    assert last["Status"] == "Quarantined"
    assert not {"ClientReference", "RetailerReference"} & set(last)


@pytest.mark.parametrize(
    ("how", "status", "kind", "start"),
    [
        ("pdf", 200, "application/pdf", b"%PDF-"),
        ("docx", 200, "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
        ("octet", 200, "application/octet-stream", b"%PDF-"),
        ("redirect_inside", 200, "application/pdf", b"%PDF-"),
        ("html", 200, "text/html; charset=utf-8", b"<!doctype html"),
        ("html_as_pdf", 200, "application/pdf", b"<!doctype html"),
        ("empty", 200, "application/pdf", b""),
        ("missing", 404, "text/plain", b"The file"),
    ],
)
def test_a_download_can_be_many_things(
    supplier: Supplier, controls: Controls, settled: Callable[[], None], how: str, status: int, kind: str, start: bytes
) -> None:
    order = controls.post("orders", matter="J004500", download=how)["id"]
    settled()
    with requests.Session() as session:
        session.auth = supplier.login
        answer = session.get(f"{supplier.box.url('infotrack')}/v1/order/download/{order}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, kind)
    assert answer.content.startswith(start)


def test_a_truncated_file_has_no_end(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500", download="truncated")["id"]
    settled()
    assert b"%%EOF" not in supplier.download(order).content
    controls.post(f"orders/{order}/download", how="pdf")
    assert supplier.download(order).content.rstrip().endswith(b"%%EOF")


def test_the_large_file_is_large(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500", service="plans")["id"]
    settled()
    assert 3_400_000 < len(supplier.download(order).content) < 3_600_000


def test_another_host_notes_what_it_was_sent(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500", download="redirect")["id"]
    settled()
    answer = supplier.download(order)
    assert urlsplit(answer.url).hostname == "127.0.0.2"
    assert answer.content.startswith(b"%PDF-")
    requests.get(answer.url, auth=supplier.login)  # a careless program
    assert [each["authorization"] for each in controls.get("strangers")["requests"]] == [False, True]


def test_a_download_wants_the_login(supplier: Supplier, controls: Controls, settled: Callable[[], None]) -> None:
    order = controls.post("orders", matter="J004500")["id"]
    settled()
    assert requests.get(f"{supplier.box.url('infotrack')}/v1/order/download/{order}").status_code == 401


def test_what_was_mapped_is_shown_with_what_is_unknown_in_it(supplier: Supplier, controls: Controls) -> None:
    supplier.mapping(Mattertype="x")
    (row,) = controls.get("mappings")
    assert (row["user"], row["unknown"]) == ("kowhai-rata", ["Mattertype"])
