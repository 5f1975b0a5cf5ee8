"""Holding the stand-ins and recorded requests against a vendor's description: what is noticed, and what is left out."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.against_specs import main
from sandbox.against_workflowmax_spec import FOLDER, check_workflowmax
from sandbox.house import Sandbox
from sandbox.spec_report import read_recording
from sandbox.spec_yaml import NotReadable, read_yaml
from sandbox.workflowmax_description import Description
from tests.sandbox.visitors import Controls
from tests.sandbox.workflowmax_visitor import App, Person

PATHS = """
paths:
  /job.api/cost:
    post:
      summary: |
        Adds
        a cost
      requestBody:
        content:
          application/xml:
            schema:
              $ref: '#/components/schemas/NewCost'
        required: true
      responses:
        200:
          description: "of two
            \\"lines\\""
          content: {}
    put: {}
  /job.api/costs/{job_number}:
    get:
      parameters:
      - name: job_number
        in: path
        required: true
      - name: kind
        in: query
        required: true
        schema:
          type: string
          enum:
          - 'all'
          - 'some'
      responses:
        200:
          content:
            application/xml:
              schema:
                $ref: '#/components/schemas/CostList'
"""
SCHEMAS = """
NewCost:
  type: object
  properties:
    Job:
      type: string
      example: J1
    Date:
      type: string
      example: '20260512'
    Description:
      type: string
      example: A fee: with a colon,
        and a second line
    Quantity:
      type: number
      example: 1.0
    UnitCost:
      type: number
      example: 2.0
    UnitPrice:
      type: number
      example: 3.0
  xml:
    name: Cost
CostList:
  type: object
  properties:
    Cost:
      type: array
      items:
        $ref: '#/components/schemas/OneCost'
  xml:
    name: Costs
onecost:
  properties:
    Quantity:
      type: number
    Note:
      type: string
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "descriptions" / FOLDER
    (found / "paths").mkdir(parents=True)
    (found / "components" / "schemas").mkdir(parents=True)
    (found / "paths" / "job.yaml").write_text(PATHS, encoding="utf-8")
    (found / "components" / "schemas" / "all.yaml").write_text(SCHEMAS, encoding="utf-8")
    return found


def test_the_part_of_yaml_that_descriptions_use_is_read(folder: Path) -> None:
    calls: Any = read_yaml(folder / "paths" / "job.yaml")
    post = calls["paths"]["/job.api/cost"]["post"]
    assert post["summary"] == "Adds\na cost"
    assert post["responses"]["200"] == {"description": 'of two "lines"', "content": {}}
    [number, kind] = calls["paths"]["/job.api/costs/{job_number}"]["get"]["parameters"]
    assert (number["name"], kind["schema"]["enum"]) == ("job_number", ["all", "some"])
    schemas: Any = read_yaml(folder / "components" / "schemas" / "all.yaml")
    assert schemas["NewCost"]["properties"]["Description"]["example"] == "A fee: with a colon, and a second line"


@pytest.mark.parametrize("text", ["a: &x 1", "a: [1, 2]", "just words", "a: 'open"])
def test_yaml_that_is_not_known_is_refused_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotReadable, match=r"odd\.yaml, line 1"):
        read_yaml(path)


def differences(folder: Path, schema: str, text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    description = Description(folder)
    description.check_xml({"$ref": f"#/components/schemas/{schema}"}, text, lambda where, what: found.append((where, what)))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<Costs><Cost><Quantity>1</Quantity><Note>n</Note></Cost></Costs>", []),
        ("<Costs />", []),
        ("<Costs><Cost><Quantity>one</Quantity></Cost></Costs>", [("Costs/Cost/Quantity", "is no number")]),
        ("<Costs><Cost><note>n</note></Cost></Costs>", [("Costs/Cost/note", "is described as Note")]),
        ("<Costs><Cost><Other /></Cost></Costs>", [("Costs/Cost/Other", "is not described")]),
        ("<Costs><Cost><Note><b /></Note></Cost></Costs>", [("Costs/Cost/Note", "has elements in it, described as string")]),
        ("<Costs>text</Costs>", [("Costs", "has text, described as a record")]),
        ("<Response><Costs /></Response>", [("the root", "is Response, described as Costs")]),
        ("<Costs>", [("the body", "is not XML")]),
    ],
)
def test_xml_is_held_against_its_schema(folder: Path, text: str, expected: list[tuple[str, str]]) -> None:
    assert differences(folder, "CostList", text) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=all", []),
        ("", [("the parameter kind", "is required and missing")]),
        ("kind=none", [("the parameter kind", "is none of all, some")]),
        ("kind=all&x=1", [("the parameter x", "is not described")]),
    ],
)
def test_a_query_is_held_against_its_parameters(folder: Path, query: str, expected: list[tuple[str, str]]) -> None:
    description = Description(folder)
    call = description.find("GET", "job.api/costs/2026/7")
    assert call
    found: list[tuple[str, str]] = []
    description.check_query(call, query, lambda where, what: found.append((where, what)))
    assert found == expected


def test_recorded_requests_of_a_program_are_checked_and_its_credentials_are_not_in_them(
    box: Sandbox, controls: Controls, tmp_path: Path, folder: Path
) -> None:
    controls.post("switches", keep_requests=True)
    person = Person(box)
    token = person.tokens()["access_token"]
    person.browser.close()
    app = App(box, token)
    app.post_v1("IT-1-T-1")
    app.post_v2("IT-1-T-2")
    app.call("POST", "job.api/cost", data=b"<Cost><Jobb>J1</Jobb></Cost>", headers={"Content-Type": "text/plain"})
    controls.post("faults", name="drop_after", where="workflowmax GET job.api/costs", count=1)
    with pytest.raises(requests.ConnectionError):
        app.call("GET", "job.api/costs/J004521")
    # The server notes a connection that it cut only after the caller has felt it.
    text, end = "", time.monotonic() + 10
    while text.count("\n") < 4 and time.monotonic() < end:
        text = requests.get(f"{box.url('controls')}/api/recording").text
    assert token not in text
    assert "sandbox-workflowmax-secret" not in text
    kept = tmp_path / "kept.jsonl"
    kept.write_text(text, encoding="utf-8")
    recorded = read_recording(kept)
    assert [(each.method, each.path, each.status) for each in recorded] == [
        ("POST", "job.api/cost", 200),
        ("POST", "v2/jobs/J004521/costs", 201),
        ("POST", "job.api/cost", 200),
        ("GET", "job.api/costs/J004521", 0),
    ]
    report = check_workflowmax(folder, recorded)
    mine = [(each.where, each.what) for each in report.differences if "the recording" in each.call]
    assert ("Content-Type", "is text/plain, described as application/xml") in mine
    assert ("Cost/Jobb", "is not described") in mine
    assert ("Cost/Billable", "is not described") in mine
    assert ("the parameter kind", "is required and missing") in mine
    assert any("1 recorded requests to the newer interface" in each for each in report.left_out)
    assert controls.delete("recording") == {"removed": 4}
    assert requests.get(f"{box.url('controls')}/api/recording").text == ""


def test_nothing_is_kept_unless_asked(box: Sandbox) -> None:
    requests.get(f"{box.url('workflowmax')}/job.api/current")
    assert requests.get(f"{box.url('controls')}/api/recording").text == ""


def test_the_command_says_what_differs_and_ends_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder.parent)]) == 1
    told = capsys.readouterr().out
    assert "DIFFERS: Costs/Cost/UUID: is not described" in told
    assert "differs, known: the root: is Response, described as Costs" in told


def test_the_command_names_what_it_can_not_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ICONNECT_VENDOR_SPECS", raising=False)
    assert main([]) == 2
    assert "ICONNECT_VENDOR_SPECS" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"method": "GET", "path": "x"}) + "\nnonsense\n", encoding="utf-8")
    assert main([str(folder.parent), "--recording", str(bad)]) == 2
    assert "bad.jsonl, line 2" in capsys.readouterr().err


@pytest.mark.skipif(not os.environ.get("ICONNECT_VENDOR_SPECS"), reason="the vendors' descriptions are not here")
def test_nothing_differs_from_the_vendors_descriptions_without_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
