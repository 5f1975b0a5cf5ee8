"""The Practice Manager stand-in and its gateway behave as the facts say."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
import requests

from sandbox import world as w
from sandbox.house import Sandbox
from tests.sandbox.visitors import Controls, Practice, Visitor, parse


def test_the_current_jobs_are_as_many_as_were_asked_for(practice: Practice) -> None:
    answer = practice.call("GET", "job.api/current?detailed=true")
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert "xero-correlation-id" in answer.headers
    jobs = list(parse(answer.content).iter("Job"))
    assert len(jobs) == 50
    assert jobs[21].findtext("ID") == "J004521"
    assert len({job.findtext("UUID") for job in jobs}) == 50


def test_a_summary_may_lack_the_uuid(practice: Practice, controls: Controls) -> None:
    controls.post("switches", uuid_in_summaries=False)
    assert all(job.find("UUID") is None for job in practice.get("job.api/current").iter("Job"))
    assert all(job.find("UUID") is not None for job in practice.get("job.api/current?detailed=true").iter("Job"))


def test_a_closed_job_leaves_the_current_ones_and_refuses_costs(practice: Practice, controls: Controls) -> None:
    controls.post("jobs/J004521/close")
    assert "J004521" not in [job.findtext("ID") for job in practice.get("job.api/current").iter("Job")]
    assert parse(practice.post_cost("IT-1-T-1").content).findtext("Status") == "ERROR"
    controls.post("switches", refuse_closed=False)
    assert parse(practice.post_cost("IT-1-T-1").content).findtext("Status") == "OK"
    controls.post("jobs/J004521/open")
    assert "J004521" in [job.findtext("ID") for job in practice.get("job.api/current").iter("Job")]


def test_an_unknown_job_is_an_error_at_200(practice: Practice) -> None:
    for path in ("job.api/get/J999999", "job.api/costs/J999999", "job.api/documents/J999999"):
        answer = practice.call("GET", path)
        assert answer.status_code == 200
        assert parse(answer.content).findtext("Status") == "ERROR"


def test_the_list_wants_dates_and_less_than_a_year(practice: Practice, box: Sandbox) -> None:
    today = box.world.clock.utc().date()
    year_ago = (today - timedelta(days=365)).strftime("%Y%m%d")
    nearly = (today - timedelta(days=360)).strftime("%Y%m%d")
    end = today.strftime("%Y%m%d")
    assert practice.call("GET", "job.api/list").status_code == 400
    assert practice.call("GET", f"job.api/list?from={year_ago}&to={end}").status_code == 400
    found = {job.findtext("ID") for job in practice.get(f"job.api/list?from={nearly}&to={end}").iter("Job")}
    assert 5 < len(found) < 52
    assert found == {number for number, job in box.world.firms[w.MAIN_TENANT].jobs.items() if (today - job.created).days <= 360}


def test_a_job_number_with_a_slash_is_found_by_its_encoded_form(practice: Practice, box: Sandbox) -> None:
    job = next(iter(box.world.firms[w.MAIN_TENANT].jobs.values()))
    box.world.firms[w.MAIN_TENANT].jobs["2026/7 & Co+#?"] = job
    job.number = "2026/7 & Co+#?"
    answer = practice.get(f"job.api/get/{quote(job.number, safe='')}")
    assert answer.findtext("Job/ID") == "2026/7 & Co+#?"


def test_a_cost_is_in_the_books_and_in_the_next_read(practice: Practice, controls: Controls) -> None:
    answer = parse(practice.post_cost("ordered by Aroha IT-71000123-T-1").content)
    assert [child.tag for child in answer] == ["Status"]
    assert practice.notes() == ["ordered by Aroha IT-71000123-T-1"]
    (cost,) = controls.books("J004521")["costs"]
    assert (cost["unit_cost"], cost["code"], cost["job"], cost["date"]) == ("12.50", "DISB-GST", "J004521", "20260512")
    assert controls.books("J004500")["costs"] == []


def test_the_answer_to_a_cost_can_be_the_record(practice: Practice, controls: Controls) -> None:
    controls.post("switches", cost_answer="record")
    answer = parse(practice.post_cost("IT-1-T-1").content)
    assert answer.findtext("Cost/UUID") == controls.books()["costs"][0]["uuid"]


def test_lists_of_costs_and_documents_come_with_or_without_the_envelope(practice: Practice, controls: Controls) -> None:
    practice.post_cost("IT-1-T-1")
    assert practice.get("job.api/costs/J004521").tag == "Response"
    controls.post("switches", wrap_lists=False)
    assert practice.get("job.api/costs/J004521").tag == "Costs"
    assert practice.get("job.api/documents/J004521").tag == "Documents"


@pytest.mark.parametrize(
    ("switch", "more"),
    [("refuse_unknown_code", {"code": "NO-SUCH"}), ("refuse_negative", {"amount": "-3.00"})],
)
def test_what_is_undocumented_is_accepted_or_refused_by_a_switch(
    practice: Practice, controls: Controls, switch: str, more: dict[str, str]
) -> None:
    assert parse(practice.post_cost("IT-1-T-1", **more).content).findtext("Status") == "OK"
    controls.post("switches", **{switch: True})
    assert parse(practice.post_cost("IT-1-T-2", **more).content).findtext("Status") == "ERROR"
    assert len(controls.books()["costs"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        "<Cost><Job>J004521</Job></Cost>",
        "<Cost><Job>J004521</Job><Date>2026-05-12</Date><Description>x</Description><Quantity>1</Quantity>"
        "<UnitCost>1.00</UnitCost><UnitPrice>1.00</UnitPrice></Cost>",
        "<Cost><Job>J004521</Job><Date>20260512</Date><Description>x</Description><Quantity>1</Quantity>"
        "<UnitCost>1,000.00</UnitCost><UnitPrice>1.00</UnitPrice></Cost>",
    ],
)
def test_a_malformed_cost_is_refused(practice: Practice, controls: Controls, body: str) -> None:
    assert parse(practice.call("POST", "job.api/cost", body).content).findtext("Status") == "ERROR"
    assert controls.books()["costs"] == []


def test_a_body_that_is_not_xml_is_an_application_exception(practice: Practice) -> None:
    answer = practice.call("POST", "job.api/cost", "<Cost><Job>")
    assert answer.status_code == 500
    assert parse(answer.content).findtext("Status") == "ERROR"


def test_a_put_changes_a_cost_and_wants_no_job(practice: Practice, controls: Controls) -> None:
    practice.post_cost("IT-1-T-1")
    uuid = controls.books()["costs"][0]["uuid"]
    body = (
        f"<Cost>%s<UUID>{uuid}</UUID><Date>20260512</Date><Description>Changed</Description><Quantity>0</Quantity>"
        "<UnitCost>1.00</UnitCost><UnitPrice>1.00</UnitPrice><Billable>false</Billable></Cost>"
    )
    assert parse(practice.call("PUT", "job.api/cost", body % "<Job>J004521</Job>").content).findtext("Status") == "ERROR"
    assert parse(practice.call("PUT", "job.api/cost", body % "").content).findtext("Status") == "OK"
    assert controls.books()["costs"][0]["quantity"] == "0"


def test_a_documents_bytes_arrive_whole(practice: Practice, controls: Controls, box: Sandbox) -> None:
    content = bytes(range(256)) * 40
    assert parse(practice.post_document(content).content).findtext("Status") == "OK"
    (document,) = controls.books()["documents"]
    assert (document["sha256"], document["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    assert requests.get(f"{box.url('controls')}/api/documents/{document['sha256']}").content == content
    listed = practice.get("job.api/documents/J004521").find(".//Document")
    assert listed is not None
    assert listed.findtext("Text") == "IT-71000123-D-1"
    assert listed.find("UUID") is None
    assert requests.get(listed.findtext("URL", "")).headers["content-type"].startswith("text/html")  # a screen, not the file


@pytest.mark.parametrize(("kind", "status"), [("413", 413), ("error", 200)])
def test_a_document_over_the_cap_is_refused(practice: Practice, controls: Controls, kind: str, status: int) -> None:
    controls.post("switches", document_cap_bytes=1000, document_cap_answer=kind)
    assert practice.post_document(b"x" * 2000).status_code == status
    assert controls.books()["documents"] == []


def test_a_write_can_be_slow_to_show(practice: Practice, controls: Controls) -> None:
    controls.post("switches", stale_seconds=30)
    practice.post_cost("IT-1-T-1")
    assert practice.notes() == []
    assert len(controls.books()["costs"]) == 1
    controls.post("clock", advance=31)
    assert practice.notes() == ["IT-1-T-1"]


def test_the_catalogue_is_read_until_nothing_comes(practice: Practice) -> None:
    assert practice.call("GET", "cost.api/list").status_code == 400
    first = practice.get("cost.api/list?page=1")
    assert int(first.findtext("Records", "")) == len(list(first.iter("Cost")))
    assert {"DISB-GST", "DISB-FREE"} <= {cost.findtext("Code") for cost in first.iter("Cost")}
    assert practice.get("cost.api/list?page=2").findtext("Records") == "0"


def test_the_clients_come_in_pages_without_the_archived(practice: Practice, box: Sandbox) -> None:
    path, found = "client.api/paged-list?pageSize=7", 0
    while path:
        page = practice.get(path)
        found += len(list(page.iter("Client")))
        path = page.findtext("Pagination/Links/Next", "").partition("/practicemanager/3.1/")[2]
    firm = box.world.firms[w.MAIN_TENANT]
    assert found == sum(1 for client in firm.clients if not client.archived and not client.deleted)


def test_a_job_moves_by_the_interface_code_not_the_label(practice: Practice) -> None:
    body = "<Job><ID>J004521</ID><State>{}</State></Job>"
    assert parse(practice.call("PUT", "job.api/state", body.format("In Review")).content).findtext("Status") == "ERROR"
    assert parse(practice.call("PUT", "job.api/state", body.format("INREVIEW")).content).findtext("Status") == "OK"
    assert practice.get("job.api/get/J004521").findtext("Job/State") == "In Review"


def test_my_jobs_and_a_clients_jobs(practice: Practice, box: Sandbox) -> None:
    job = next(job for job in box.world.firms[w.MAIN_TENANT].jobs.values() if job.assigned)
    mine = {each.findtext("ID") for each in practice.get(f"job.api/staff/{job.assigned[0].uuid}").iter("Job")}
    assert job.number in mine
    assert job.number in {each.findtext("ID") for each in practice.get(f"job.api/client/{job.client.uuid}").iter("Job")}


def test_an_expired_token_is_told_from_a_wrong_one(practice: Practice, controls: Controls) -> None:
    controls.post("tokens/expire")
    expired = practice.call("GET", "staff.api/list")
    assert expired.status_code == 401
    assert expired.json()["Detail"].startswith("TokenExpired")
    assert expired.json()["Instance"] == expired.headers["xero-correlation-id"]
    assert expired.headers["www-authenticate"] == "Bearer error=invalid_token"
    assert "x-minlimit-remaining" not in expired.headers
    wrong = Practice(practice.box, "nonsense").call("GET", "staff.api/list")
    assert wrong.json()["Detail"] == "AuthenticationUnsuccessful"


def test_another_tenant_is_forbidden(practice: Practice) -> None:
    for tenant in (w.OTHER_TENANT, w.ORGANISATION, "nonsense", ""):
        answer = Practice(practice.box, practice.token, tenant).call("GET", "staff.api/list")
        assert (answer.status_code, answer.json()["Detail"]) == (403, "AuthenticationUnsuccessful")
        assert "x-daylimit-remaining" not in answer.headers or tenant == w.ORGANISATION


def test_a_privilege_taken_away_shows_at_the_next_call(practice: Practice, controls: Controls) -> None:
    assert practice.call("GET", "staff.api/list").status_code == 200
    controls.post("staff/privilege", email=w.DEMO_PERSON, allowed=False)
    assert practice.call("GET", "staff.api/list").status_code == 403


def test_a_missing_scope_is_unauthorised(box: Sandbox, visitor: Visitor) -> None:
    reader = Practice(box, visitor.tokens(scope="openid practicemanager.job.read")["access_token"])
    assert reader.call("GET", "job.api/current").status_code == 200
    refused = reader.post_cost("IT-1-T-1")
    assert (refused.status_code, refused.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
    assert reader.call("GET", "staff.api/list").status_code == 401


def test_the_sixty_first_call_of_a_minute_waits_for_the_next_window(practice: Practice, controls: Controls) -> None:
    controls.post("limits", minute=10)
    codes = [practice.call("GET", "staff.api/list").status_code for _ in range(10)]
    if 429 not in codes:  # else a window ended between these calls
        refused = practice.call("GET", "staff.api/list")
        assert (refused.status_code, refused.content) == (429, b"")
        assert refused.headers["x-rate-limit-problem"] == "minute"
        assert refused.headers["x-minlimit-remaining"] == "0"
        wait = int(refused.headers["retry-after"])
        assert 1 <= wait <= 60
        controls.post("clock", advance=wait)
    assert practice.call("GET", "staff.api/list").status_code == 200


def test_the_day_ends_with_a_long_wait(practice: Practice, controls: Controls) -> None:
    controls.post("limits", day=1)
    practice.call("GET", "staff.api/list")
    refused = practice.call("GET", "staff.api/list")
    assert refused.headers["x-rate-limit-problem"] == "day"
    assert 0 < int(refused.headers["retry-after"]) <= 86400


def test_the_sixth_call_at_once_is_refused_without_a_retry_after(
    practice: Practice, controls: Controls, soon: Callable[[Callable[[], bool]], None]
) -> None:
    controls.post("faults", name="slow", where="GET practicemanager/3.1/staff.api/list", seconds=30)
    waiting = [threading.Thread(target=practice.call, args=("GET", "staff.api/list"), daemon=True) for _ in range(5)]
    for thread in waiting:
        thread.start()
    soon(lambda: controls.get("calls")["in_progress"].get("api") == 5)
    refused = practice.call("GET", "job.api/current")
    assert (refused.status_code, refused.content) == (429, b"")
    assert refused.headers["x-rate-limit-problem"] == "concurrent"
    assert "retry-after" not in refused.headers
    practice.box.world.stopping.set()  # lets the slow ones go
    for thread in waiting:
        thread.join()
    assert controls.get("calls")["most_at_once"]["api"] == 6


def test_each_tenant_has_its_own_budget(box: Sandbox, visitor: Visitor, controls: Controls) -> None:
    controls.post("limits", day=1)
    token = visitor.tokens(person=w.TWO_FIRMS_PERSON, tenants=(w.MAIN_TENANT, w.OTHER_TENANT))["access_token"]
    for tenant in (w.MAIN_TENANT, w.OTHER_TENANT):
        assert Practice(box, token, tenant).call("GET", "staff.api/list").status_code == 200
        assert Practice(box, token, tenant).call("GET", "staff.api/list").status_code == 429


def test_calls_are_counted_by_endpoint(practice: Practice, controls: Controls) -> None:
    practice.get("job.api/costs/J004500")
    practice.get("job.api/costs/J004501")
    assert controls.get("calls")["calls"]["api GET job.api/costs"] == 2
