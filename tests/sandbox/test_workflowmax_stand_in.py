"""The WorkflowMax stand-in: what its two interfaces and its books promise, over real sockets."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import world as w
from sandbox.house import Sandbox
from sandbox.workflowmax_books import MAIN_ORGANISATION
from tests.sandbox.visitors import Controls, Supplier, parse
from tests.sandbox.workflowmax_visitor import App, Person, books, verdict

# the older interface


def test_v1_is_xml_whatever_is_accepted(app: App) -> None:
    answer = app.call("GET", "job.api/current", headers={"Accept": "application/json"})
    assert "xml" in answer.headers["Content-Type"]
    root = parse(answer.content)
    assert (root.tag, root.findtext("Status")) == ("Response", "OK")
    jobs = root.findall("Jobs/Job")
    assert len(jobs) == 49  # fifty, one of them deleted
    fields = [each.tag for each in jobs[0]]
    assert fields[:4] == ["ID", "UUID", "Name", "Description"]
    assert {"Client", "WebURL", "DateModifiedUtc"} <= set(fields)


def test_the_current_jobs_ignore_the_page_unless_a_switch_says_so(app: App, controls: Controls) -> None:
    pages = [app.xml(f"job.api/current?page={page}&pagesize=10") for page in (1, 2)]
    assert [len(page.findall("Jobs/Job")) for page in pages] == [49, 49]
    assert pages[0].find("TotalRecords") is None
    controls.post("switches", workflowmax_current_pages=True)
    numbers = [
        job.findtext("ID") for page in range(1, 6) for job in app.xml(f"job.api/current?page={page}&pagesize=10").iter("Job")
    ]
    assert len(numbers) == len(set(numbers)) == 49
    assert app.xml("job.api/current?page=1").findtext("TotalRecords") == "49"
    assert app.xml("job.api/current?page=1").findtext("PageSize") == "1000"


def test_a_list_wants_both_dates_and_no_more_than_a_year(app: App, box: Sandbox) -> None:
    assert app.call("GET", "job.api/list").status_code == 400
    assert app.call("GET", "job.api/list?from=20200101&to=20260101").status_code == 400
    firm = box.workflowmax.organisations.get(MAIN_ORGANISATION)
    assert firm
    day = next(iter(firm.jobs.values())).created
    found = app.xml(f"job.api/list?from={day:%Y%m%d}&to={day:%Y%m%d}").findall("Jobs/Job")
    assert "J004500" in [job.findtext("ID") for job in found]


def test_modified_since_shows_what_changed(app: App, controls: Controls, box: Sandbox) -> None:
    controls.post("clock", advance=10)
    now = box.world.clock.utc()
    controls.post("jobs/J004521/close?system=workflowmax")
    controls.post("jobs/J004521/open?system=workflowmax")
    found = app.xml(f"job.api/current?modifiedsinceutc={now:%Y-%m-%dT%H:%M:%S}").findall("Jobs/Job")
    assert [job.findtext("ID") for job in found] == ["J004521"]
    rows = app.json("v2/jobs", updatedSince=f"{now:%Y-%m-%d}", sort="updated", order="desc")["data"]
    assert rows[0]["jobNumber"] == "J004521"


def test_a_job_is_found_by_number_or_uuid_and_an_unknown_one_is_an_error_at_200(app: App) -> None:
    job = app.xml("job.api/get/J004521").find("Job")
    assert job is not None
    assert app.xml(f"job.api/get/{job.findtext('UUID')}").findtext("Job/ID") == "J004521"
    root = app.xml("job.api/get/J999999")
    assert root.findtext("Status") == "Error"
    assert root.findtext("ErrorDescription")


def test_a_cost_posted_by_v1_is_read_by_both(app: App, controls: Controls) -> None:
    assert verdict(app.post_v1("words IT-71000123-T-1")) == "OK"
    assert app.notes_v1() == ["words IT-71000123-T-1"]
    assert app.notes_v2() == ["words IT-71000123-T-1"]
    [cost] = books(controls, "J004521")["costs"]
    assert (cost["date"], cost["unit_cost"], cost["by"], cost["job"]) == ("20260512", "12.50", "Aroha Ngata", "J004521")
    [shown] = app.xml("job.api/costs/J004521").iter("Cost")
    assert shown.findtext("Date") == "2026-05-12T00:00:00"


@pytest.mark.parametrize(("how", "expected"), [("bare", b"<Status>OK</Status></Response>"), ("record", b"<UUID>"), ("empty", b"")])
def test_what_a_posted_cost_answers_is_a_switch(app: App, controls: Controls, how: str, expected: bytes) -> None:
    controls.post("switches", workflowmax_cost_answer=how)
    answer = app.post_v1("IT-71000123-T-1")
    assert answer.status_code == 200
    assert expected in answer.content
    assert (answer.content == b"") == (how == "empty")


def test_costs_may_come_without_a_wrapper(app: App, controls: Controls) -> None:
    controls.post("switches", wrap_lists=False)
    app.post_v1("IT-71000123-T-1")
    assert app.xml("job.api/costs/J004521").tag == "Costs"
    assert app.xml("job.api/documents/J004521").tag == "Documents"


def test_a_job_costs_call_wants_the_number_not_the_uuid(app: App) -> None:
    assert verdict(app.post_v1("n", job=app.uuid())) == "Invalid job identifier"


@pytest.mark.parametrize(
    ("switches", "changes", "sentence"),
    [
        ({"refuse_unknown_code": True}, {"code": "NOPE"}, "No such cost code"),
        ({"refuse_negative": True}, {"amount": "-1.00"}, "Amounts can not be negative"),
        ({}, {"date": "20261301"}, "Invalid date"),
        ({}, {"amount": "1,50"}, "Invalid number"),
    ],
)
def test_v1_refuses_with_a_sentence_at_200(
    app: App, controls: Controls, switches: dict[str, Any], changes: dict[str, str], sentence: str
) -> None:
    controls.post("switches", **switches)
    answer = app.post_v1("n", **changes)
    assert answer.status_code == 200
    assert verdict(answer) == sentence
    assert books(controls)["costs"] == []


def test_a_put_replaces_a_line_and_nothing_deletes_one(app: App, controls: Controls) -> None:
    app.post_v1("IT-71000123-T-1")
    [cost] = books(controls)["costs"]
    body = (
        f"<Cost><Job>J004521</Job><UUID>{cost['uuid']}</UUID><Date>20260513</Date><Description>B</Description>"
        "<Quantity>0</Quantity><UnitCost>1.00</UnitCost><UnitPrice>2.00</UnitPrice></Cost>"
    )
    assert verdict(app.call("PUT", "job.api/cost", data=body)) == "OK"
    [cost] = books(controls)["costs"]
    assert (cost["note"], cost["quantity"], cost["description"]) == ("", "0", "B")
    assert app.call("DELETE", "job.api/cost").status_code == 405


def test_v1_keeps_a_document_by_its_bytes(app: App, controls: Controls) -> None:
    content = b"%PDF-1.7 \x00\xff"
    body = (
        "<Document><Job>J004521</Job><Title>A result &amp; more</Title><Text>IT-71000123-D-1</Text><Folder>InfoTrack</Folder>"
        f"<Public>false</Public><FileName>a.pdf</FileName><Content>{base64.b64encode(content).decode()}</Content></Document>"
    )
    assert verdict(app.call("POST", "job.api/document", data=body)) == "OK"
    [document] = books(controls, "J004521")["documents"]
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    [shown] = app.xml("job.api/documents/J004521").iter("Document")
    assert {each.tag for each in shown} == {"Title", "Text", "Folder", "Date", "CreatedBy", "Filename", "URL"}
    controls.post("switches", workflowmax_filename="FileName")
    assert app.xml("job.api/documents/J004521").findtext(".//FileName") == "a.pdf"
    wrong = body.replace("FileName>", "Filename>")
    assert verdict(app.call("POST", "job.api/document", data=wrong)) == "Invalid request"


def test_xml_that_is_none_is_refused(app: App) -> None:
    assert app.call("POST", "job.api/cost", data=b"<Cost><Note>Smith & Sons</Note></Cost>").status_code == 400


def test_elements_out_of_order_are_refused_only_if_a_switch_says_so(app: App, controls: Controls) -> None:
    body = (
        "<Cost><Date>20260512</Date><Job>J004521</Job><Description>A</Description><Quantity>1</Quantity>"
        "<UnitCost>1</UnitCost><UnitPrice>1</UnitPrice></Cost>"
    )
    assert verdict(app.call("POST", "job.api/cost", data=body)) == "OK"
    controls.post("switches", workflowmax_strict_order=True)
    assert verdict(app.call("POST", "job.api/cost", data=body)) == "Invalid request"


def test_a_state_is_set_by_its_code(app: App, controls: Controls) -> None:
    for text, expected in (("Completed", "No such code"), ("COMPLETED", "OK")):
        body = f"<Job><ID>J004521</ID><State>{text}</State></Job>"
        assert verdict(app.call("PUT", "job.api/state", data=body)) == expected
    assert verdict(app.post_v1("n")) == "Costs can not be added to this job"
    assert app.xml("job.api/get/J004521").findtext("Job/State") == "COMPLETED"
    controls.post("switches", workflowmax_states="labels")
    assert app.xml("job.api/get/J004521").findtext("Job/State") == "Completed"


def test_the_catalogue_staff_and_clients_are_lists_of_the_firm(app: App) -> None:
    catalogue = app.xml("cost.api/list?page=1")
    assert catalogue.findtext("Records") == str(len(catalogue.findall("Costs/Cost"))) == "7"
    assert app.xml("cost.api/list?page=2").findtext("Records") == "0"
    assert w.DEMO_PERSON in [staff.findtext("Email") for staff in app.xml("staff.api/list").iter("Staff")]
    assert app.xml("client.api/list?page=1").findtext("PageSize") == "100"


# the newer interface


def test_v2_pages_and_tells_the_total(app: App) -> None:
    rows = [row for page in (1, 2, 3, 4, 5, 6) for row in app.json("v2/jobs", page=page, pageSize=10)["data"]]
    assert len({row["uuid"] for row in rows}) == app.json("v2/jobs")["total"] == 52
    assert app.json("v2/jobs", page=7, pageSize=10)["data"] == []
    assert not {"clientName", "client", "state"} & set(rows[0])
    assert rows[0]["jobStatusUUID"] in {row["uuid"] for row in app.json("v2/job-status")["data"]}
    assert sum(1 for row in rows if row["deletedAt"]) == 2


@pytest.mark.parametrize(("how", "repeated"), [("ignored", True), ("overlaps", True), ("obeyed", False)])
def test_pages_may_repeat_rows(app: App, controls: Controls, how: str, repeated: bool) -> None:
    controls.post("switches", workflowmax_v2_page=how)
    rows = [row["uuid"] for page in (1, 2) for row in app.json("v2/jobs", page=page, pageSize=10)["data"]]
    assert (len(rows) > len(set(rows))) is repeated


def test_a_cost_posted_by_v2_is_read_by_both_and_answers_its_uuid(app: App, controls: Controls) -> None:
    answer = app.post_v2("IT-71000123-T-1", unitCost=14.2, costCode="DISB-GST")
    assert answer.status_code == 201
    assert app.notes_v1() == app.notes_v2() == ["IT-71000123-T-1"]
    [cost] = books(controls)["costs"]
    assert cost["uuid"] == answer.json()["uuid"]
    assert (cost["unit_cost"], cost["date"], cost["code"]) == ("14.2", "20260512", "DISB-GST")


@pytest.mark.parametrize("how", ["uuid", "empty"])
def test_what_v2_answers_to_a_cost_is_a_switch(app: App, controls: Controls, how: str) -> None:
    controls.post("switches", workflowmax_v2_answer=how)
    answer = app.post_v2("IT-71000123-T-1")
    assert answer.content == b"" if how == "empty" else list(answer.json()) == ["uuid"]
    assert len(books(controls)["costs"]) == 1


def test_a_single_record_may_be_wrapped(app: App, controls: Controls) -> None:
    assert app.json("v2/jobs/J004521")["jobNumber"] == "J004521"
    controls.post("switches", workflowmax_single="data")
    assert app.json("v2/jobs/J004521")["data"]["jobNumber"] == "J004521"
    assert app.post_v2("IT-71000123-T-1").json()["data"]["uuid"]


def test_a_line_without_actual_is_an_estimate_and_not_in_the_costs(app: App, controls: Controls) -> None:
    before = len(books(controls)["estimates"])
    assert before > 0
    body = {"costName": "A", "date": "2026-05-12", "quantity": 1, "unitCost": 1, "unitPrice": 1, "note": "IT-1-T-1"}
    assert app.call("POST", f"v2/jobs/{app.uuid()}/costs", json=body).json()["actual"] is False
    assert books(controls)["costs"] == []
    assert len(books(controls)["estimates"]) == before + 1
    assert app.notes_v1() == []
    controls.post("switches", workflowmax_v1_estimates=True)
    assert app.notes_v1()[-1] == "IT-1-T-1"


def test_some_estimates_stand_there_from_the_start_with_words_of_their_own(app: App, controls: Controls) -> None:
    rows = books(controls)["estimates"]
    assert any(row["note"].startswith("IT-") for row in rows)
    [first] = app.json(f"v2/jobs/{app.uuid('J004500')}/costs")["data"]
    assert (first["actual"], first["note"]) == (False, "Allow for searches, see quote Q000005")


def test_a_name_is_called_otherwise_in_lists_and_nested(app: App, controls: Controls) -> None:
    app.post_v2("n")
    assert app.json(f"v2/jobs/{app.uuid()}/costs")["data"][-1]["description"] == "A fee"
    assert app.json("v2/jobs/J004521", includes="costs,documents")["costs"][-1]["name"] == "A fee"
    controls.post("switches", workflowmax_cost_name="costName")
    assert app.json(f"v2/jobs/{app.uuid()}/costs")["data"][-1]["costName"] == "A fee"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"unitCost": "12.50"}, 400),
        ({"type": "Other"}, 400),
        ({"date": "12/05/2026"}, 400),
        ({"costName": ""}, 400),
        ({"actual": 1}, 400),
    ],
)
def test_v2_refuses_fields_of_the_wrong_kind(app: App, controls: Controls, changes: dict[str, Any], status: int) -> None:
    assert app.post_v2("n", **changes).status_code == status
    assert books(controls)["costs"] == []


def test_v2_wants_json_that_says_it_is(app: App) -> None:
    assert app.call("POST", "v2/jobs/J004521/costs", data=b"{}").status_code == 415


def test_a_closed_refused_or_deleted_job_takes_no_costs(app: App, controls: Controls) -> None:
    controls.post("switches", workflowmax_v2_refused=422)
    for what, back in (("close", "open"), ("refuse", "accept")):
        controls.post(f"jobs/J004521/{what}?system=workflowmax")
        assert app.post_v2("n").status_code == 422
        controls.post(f"jobs/J004521/{back}?system=workflowmax")
    controls.post("jobs/J004521/delete?system=workflowmax")
    assert app.post_v2("n").status_code == 404
    assert verdict(app.post_v1("n")) == "Invalid job identifier"
    assert app.json("v2/jobs/J004521")["deletedAt"]
    controls.post("jobs/J004521/restore?system=workflowmax")
    assert app.post_v2("n").status_code == 201


def test_v2_lists_go_by_uuid_and_posts_by_either(app: App, controls: Controls) -> None:
    assert app.call("GET", "v2/jobs/J004521/costs").status_code == 404
    controls.post("switches", workflowmax_lists_by_number=True)
    assert app.call("GET", "v2/jobs/J004521/costs").status_code == 200
    assert app.post_v2("n", job=app.uuid()).status_code == 201


def test_numbers_that_people_typed_work_in_addresses(app: App, box: Sandbox) -> None:
    firm = box.workflowmax.organisations.get(MAIN_ORGANISATION)
    assert firm
    odd = next(number for number in firm.jobs if not number.startswith("J00"))
    for number in (odd, "2026/7 & co?"):
        firm.jobs[number] = firm.jobs[odd] if number == odd else firm.jobs["J004521"]
        assert app.post_v2(f"n {number}", job=number).status_code == 201
    assert app.post_v1("m", job=odd.replace("&", "&amp;")).status_code == 200


def test_the_note_and_the_code_may_get_lost(app: App, controls: Controls) -> None:
    controls.post("switches", workflowmax_keeps_note=False, workflowmax_keeps_code=False)
    app.post_v2("IT-71000123-T-1", costCode="DISB-GST")
    [cost] = books(controls)["costs"]
    assert (cost["note"], cost["code"]) == ("", "")


@pytest.mark.parametrize(("blanks", "note"), [(False, "IT-71000123-T-1"), (True, "")])
def test_a_change_may_blank_what_it_leaves_out(app: App, controls: Controls, blanks: bool, note: str) -> None:
    controls.post("switches", workflowmax_put_blanks=blanks)
    line = app.post_v2("IT-71000123-T-1").json()["uuid"]
    body = {"costName": "B", "date": "2026-05-12", "quantity": 0, "unitCost": 1, "unitPrice": 1, "actual": True}
    assert app.call("PUT", f"v2/jobs/costs/{line}", json=body).status_code == 200
    [cost] = books(controls)["costs"]
    assert (cost["note"], cost["quantity"], cost["description"]) == (note, "0", "B")
    assert app.call("DELETE", f"v2/jobs/costs/{line}").status_code in (404, 405)


def test_v2_keeps_a_document_by_its_bytes_and_gives_it_back(app: App, controls: Controls) -> None:
    content = b"%PDF-1.7 \x00\xff"
    files = {"file": ("Ō title & search.pdf", content, "application/pdf")}
    form = {"title": "A result", "note": "IT-71000123-D-1", "phase": "Searches"}
    answer = app.call("POST", f"v2/jobs/{app.uuid()}/documents", files=files, data=form)
    assert answer.status_code == 201
    [row] = app.json(f"v2/jobs/{app.uuid()}/documents")["data"]
    assert (row["fileSize"], row["note"], row["title"]) == (len(content), "IT-71000123-D-1", "A result")
    assert requests.get(row["downloadURL"]).content == content
    [document] = books(controls)["documents"]
    assert document["sha256"] == hashlib.sha256(content).hexdigest()
    assert (document["text"], document["file_name"]) == ("IT-71000123-D-1", "Ō title & search.pdf")
    controls.post("switches", document_cap_bytes=100)
    assert app.call("POST", f"v2/jobs/{app.uuid()}/documents", files=files, data=form).status_code == 413
    assert app.call("POST", f"v2/jobs/{app.uuid()}/documents", json=form).status_code in (400, 413)


def test_a_write_may_be_invisible_for_a_while(app: App, controls: Controls) -> None:
    controls.post("switches", stale_seconds=30)
    app.post_v2("IT-71000123-T-1")
    assert app.notes_v2() == app.notes_v1() == []
    assert len(books(controls)["costs"]) == 1
    controls.post("clock", advance=31)
    assert app.notes_v2() == app.notes_v1() == ["IT-71000123-T-1"]


def test_staff_change_a_note_and_remove_a_line(app: App, controls: Controls) -> None:
    line = app.post_v2("IT-71000123-T-1").json()["uuid"]
    controls.post(f"costs/{line}/note", note="see file. IT-71000123-T-1")
    assert app.notes_v2() == ["see file. IT-71000123-T-1"]
    controls.delete(f"costs/{line}")
    assert app.notes_v2() == []


# faults, resets, other rooms


HAPPENED = {
    **dict.fromkeys(("drop_after", "reset_after", "half_answer", "wrong_length", "trickle", "slow", "slow_answer"), True),
    **dict.fromkeys(("status_after", "empty_200_after"), True),
    **dict.fromkeys(("drop_before", "reset_before", "status", "html_503", "html_200", "empty_200", "json_error"), False),
    **dict.fromkeys(("xml_500", "error_200", "limited", "token_expired", "redirect"), False),
}


@pytest.mark.parametrize("interface", ["v1", "v2"])
def test_every_fault_works_on_a_posted_cost(app: App, controls: Controls, interface: str) -> None:
    controls.post("limits", minute=0)
    where = {"v1": "workflowmax POST job.api/cost", "v2": "workflowmax POST v2/jobs/*/costs"}[interface]
    post = app.post_v1 if interface == "v1" else app.post_v2
    for position, (name, happened) in enumerate(HAPPENED.items(), 1):
        more = {"location": "http://127.0.0.1:9/"} if name == "redirect" else {}
        controls.post("faults", name=name, where=where, count=1, seconds=0.2, **more)
        key = f"IT-{position}-T-1"
        with contextlib.suppress(requests.RequestException):
            post(key)
        assert (key in [cost["note"] for cost in books(controls, "J004521")["costs"]]) is happened, name
        assert post(f"IT-{position}-T-2").ok, name
    assert [fault["hits"] for fault in controls.get("faults")["faults"]] == [1] * len(HAPPENED)


def test_five_calls_at_once_are_allowed(app: App, controls: Controls) -> None:
    controls.post("faults", name="slow_answer", where="workflowmax GET staff.api/list", seconds=1.5)
    with ThreadPoolExecutor(7) as pool:
        answers = list(pool.map(lambda _number: app.call("GET", "staff.api/list"), range(7)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 2
    assert app.call("GET", "v2/me").status_code == 200


def test_two_refreshes_at_once_end_the_chain(person: Person) -> None:
    first = person.tokens()["refresh_token"]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(person.refresh, [first, first]))
    assert sorted(answer.status_code for answer in answers) == [200, 400]
    newest = next(answer for answer in answers if answer.ok).json()["refresh_token"]
    assert person.refresh(newest).status_code == 400


@pytest.mark.parametrize("where", ["workflowmax POST job.api/cost", "workflowmax POST v2/jobs/*/costs"])
def test_a_fault_after_the_effect_leaves_the_line_in_the_books(app: App, controls: Controls, where: str) -> None:
    controls.post("faults", name="drop_after", where=where, count=1)
    with pytest.raises(requests.ConnectionError):
        app.post_v1("IT-1-T-1") if "job.api" in where else app.post_v2("IT-1-T-1")
    assert len(books(controls)["costs"]) == 1


def test_a_late_effect_happens_even_when_the_token_has_expired(app: App, controls: Controls, settled: Callable[[], None]) -> None:
    controls.post("faults", name="late_effect", where="workflowmax POST v2/jobs/*/costs", count=1, seconds=3600)
    with pytest.raises(requests.ConnectionError):
        app.post_v2("IT-1-T-1")
    assert books(controls)["costs"] == []
    controls.post("clock", advance=3601)
    settled()
    assert len(books(controls)["costs"]) == 1


def test_a_reset_makes_everything_anew(app: App, controls: Controls) -> None:
    app.post_v2("IT-1-T-1")
    controls.post("reset")
    assert books(controls)["costs"] == []
    assert app.call("GET", "v2/me").status_code == 401


def test_the_books_of_the_systems_are_apart(app: App, controls: Controls) -> None:
    app.post_v2("IT-1-T-1")
    assert controls.books()["costs"] == []
    assert {row["system"] for row in controls.get("books")["tenants"]} >= {"xero-practice-manager", "workflowmax"}
    assert all(row["system"] == "workflowmax" for row in controls.get("books", system="workflowmax")["tenants"])


def test_an_order_for_a_matter_of_this_system_keeps_its_reference(supplier: Supplier, controls: Controls, app: App) -> None:
    reference = f"ICONNECT1_k7f3q2|workflowmax|{app.uuid()}"
    assert supplier.mapping(RetailerReference=reference).status_code == 200
    order = controls.post("orders", matter="J004521", retailer_reference=reference, service="qld-title")
    assert order["retailer_reference"] == reference


def test_the_description_and_the_platform_file_point_here(box: Sandbox) -> None:
    where: Any = box.description()["workflowmax"]
    assert where["api"] == box.url("workflowmax")
    text = box.platform_file.read_text(encoding="utf-8")
    assert "[workflowmax]" in text
    assert f'token_url = "{where["identity"]}/oauth/token"' in text
    assert 'system = "xero-practice-manager"' in text


@pytest.mark.parametrize(
    ("system", "named", "interface"),
    [("workflowmax", "workflowmax", "v2"), ("workflowmax-v1", "workflowmax", "v1"), ("smokeball", "smokeball", "v2")],
)
def test_the_platform_file_names_the_system_that_was_asked_for(tmp_path: Path, system: str, named: str, interface: str) -> None:
    with Sandbox(tmp_path, system=system) as box:
        platform = tomllib.loads(box.platform_file.read_text(encoding="utf-8"))
    assert platform["practice"]["system"] == named
    assert platform["workflowmax"]["api"] == interface
    assert platform["workflowmax"]["redirect_uri"].startswith("http://localhost:")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("job.api/get/J000001", "workflowmax GET job.api/get"),
        ("v2/jobs/J000001", "workflowmax GET v2/jobs/{}"),
        ("v2/jobs/J000001/costs", "workflowmax GET v2/jobs/{}/costs"),
    ],
)
def test_calls_are_counted_without_their_identifiers(app: App, controls: Controls, path: str, told: str) -> None:
    app.call("GET", path)
    assert controls.get("calls")["calls"][told] == 1


def test_an_estimate_can_be_planted_with_any_note(app: App, controls: Controls) -> None:
    controls.post("jobs/J004521/estimate", note="IT-71000123-T-1")
    assert app.json(f"v2/jobs/{app.uuid()}/costs")["data"][-1]["note"] == "IT-71000123-T-1"
    assert app.notes_v2() == []
