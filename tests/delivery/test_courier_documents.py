"""Documents: fetched, kept, filed once, and what becomes of those that can't be."""

from __future__ import annotations

from dataclasses import replace

from desktop.services.errors import BadAnswer, Refused, SignedOut
from desktop.services.infotrack.model import Incoming, Source
from desktop.services.practice.model import Document
from tests.delivery.stand_in import Office, fee, order
from tests.delivery.usual_orders import DOC, LOST, MIXED, PLAIN, T1, D, R, S, fails_once


def test_a_new_hash_is_a_further_version_and_the_same_one_is_not(office: Office) -> None:
    office.receive(order(hash="h1", sequence=1))
    office.deliver()
    office.receive(order(hash="h1", sequence=2, status="Changed"), order(hash="h2", sequence=3))
    office.deliver()
    assert office.books.posted_keys() == [DOC, "IT-71000123-D-2"]


def test_a_file_is_kept_before_it_is_sent_and_every_send_is_the_same_to_the_byte(office: Office) -> None:
    """D18."""
    count = [0]

    def content(url: str) -> bytes:
        count[0] += 1
        return b"%PDF-1.7 version " + str(count[0]).encode()

    office.files.content = content
    fails_once(office, "post_document", LOST)
    office.receive(order(hash="h1"))
    office.deliver()
    office.restart()
    office.deliver_until(400)
    first, second = office.practice.sent
    assert isinstance(first, Document)
    assert first == second
    assert count == [1]
    assert office.states() == {DOC: "confirmed"}


def test_a_file_too_large_for_the_system_goes_to_a_person(office: Office) -> None:
    office.capable(max_document_bytes=10)
    office.receive(order(hash="h1", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "confirmed", DOC: "held"}
    assert "by hand" in office.reason(DOC)
    assert office.practice.named("post_document") == []


def test_a_file_that_infotrack_refuses_is_rejected_and_the_cost_goes_on(office: Office) -> None:
    office.files.fault = lambda url: Refused("Order not found", status=404)
    office.receive(order(hash="h1", **PLAIN))
    office.deliver()
    assert office.states() == {T1: "confirmed", DOC: "rejected"}
    office.files.fault = lambda url: None
    office.ledger.retry(DOC)
    office.deliver()
    assert office.states()[DOC] == "confirmed"


def test_rejected_infotrack_credentials_are_not_tried_again_until_a_person_has_signed_in(office: Office) -> None:
    office.files.fault = lambda url: SignedOut("InfoTrack does not accept the login.")
    office.receive(order(hash="h1"), order("71000124", hash="h1"))
    report = office.deliver()
    office.deliver_until(7200)
    assert len(office.files.fetched) == 1
    assert [one.where for one in report.trouble] == ["documents"]
    assert set(office.states().values()) == {"queued"}
    office.files.fault = lambda url: None
    office.courier.forgive()
    office.deliver_until(1000)
    assert set(office.states().values()) == {"confirmed"}


def test_a_login_page_instead_of_a_file_is_never_filed(office: Office) -> None:
    office.files.fault = lambda url: BadAnswer("A web page came instead of the file.")
    office.receive(order(hash="h1"))
    office.deliver_until(4 * 3600)
    assert office.books.documents == {}
    assert office.states() == {DOC: "held"}


def test_a_typed_result_is_delivered_and_the_same_message_later_changes_nothing(office: Office) -> None:
    typed = replace(order(**MIXED, number="J002"), download_url="", file_hash="typed-1")
    office.ledger.record([Incoming(typed, b"raw", Source.TYPED, "J002", "scan.pdf", b"%PDF typed")])
    office.deliver()
    assert office.states() == {R: "confirmed", S: "confirmed", DOC: "confirmed"}
    assert office.books.documents["id-J002"][0][1] == b"%PDF typed"
    office.receive(order(**MIXED, number="J002", hash="h1", sequence=9))
    office.deliver()
    assert len(office.books.posted_keys()) == 3
    office.receive(order(retailer=fee("6.00", "0.60"), supplier=fee("21.00"), number="J002", hash="h1", sequence=10))
    office.deliver()
    assert office.amounts()["IT-71000123-S-2"] == D("1.00")
