"""The check against a description finds what differs, in the stand-in's answers and in what a program sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.against_smokeball_spec import FILE, check_smokeball
from sandbox.smokeball_description import SmokeballDescription
from sandbox.spec_report import Exchange

THING = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "minLength": 2, "maxLength": 4},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "price": {"type": "number", "nullable": True},
        "on": {"type": "boolean"},
        "when": {"type": "string", "format": "date-time"},
        "guid": {"type": "string", "format": "uuid"},
        "kind": {"allOf": [{"$ref": "#/components/schemas/Kind"}], "nullable": True},
        "inner": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        "more": {"type": "object", "additionalProperties": {"type": "string"}},
        "strange": {"type": "string", "pattern": "x"},
    },
}


def description(folder: Path, **paths: Any) -> Path:
    whole = {
        "openapi": "3.0.1",
        "paths": {f"/{name.replace('__', '/')}": methods for name, methods in paths.items()},
        "components": {"schemas": {"Thing": THING, "Kind": {"type": "string", "enum": ["Hard", "Soft"]}}},
    }
    file = folder / FILE
    file.write_text(json.dumps(whole), encoding="utf-8")
    return file


def answers(schema: Any, status: str = "200") -> dict[str, Any]:
    return {"responses": {status: {"description": "", "content": {"application/json": {"schema": schema}}}}}


def exchange(method: str, path: str, **changes: Any) -> Exchange:
    values: dict[str, Any] = {
        "server": "smokeball",
        "method": method,
        "path": path,
        "query": "",
        "headers": {"x-api-key": "", "authorization": "", "content-type": "application/json"},
        "body": "",
        "cut": False,
        "encoding": "",
        "status": 200,
        "answer": "",
        **changes,
    }
    return Exchange(**values)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"id": "abc"}, []),
        ({"id": "abc", "count": 9, "price": None, "kind": "Soft", "on": True, "more": {"a": "b"}, "inner": [{"id": "ab"}]}, []),
        ({"id": "abc", "price": 3, "when": "2026-05-14T00:00:00+10:00", "guid": "b7a0c1de-0000-4000-8000-000000000001"}, []),
        ({}, ["it/id is missing"]),
        ({"id": None}, ["it/id is null, described as never null"]),
        ({"id": "abcde"}, ["it/id has another length than described"]),
        ({"id": 7}, ["it/id is integer, described as string"]),
        ({"id": "ab", "count": 10}, ["it/count is out of the range that is described"]),
        ({"id": "ab", "count": 1.5}, ["it/count is number, described as integer"]),
        ({"id": "ab", "count": True}, ["it/count is boolean, described as integer"]),
        ({"id": "ab", "price": "14.20"}, ["it/price is string, described as number"]),
        ({"id": "ab", "when": "14/05/2026"}, ["it/when is no date-time"]),
        ({"id": "ab", "guid": "J004521"}, ["it/guid is no uuid"]),
        ({"id": "ab", "kind": "Firm"}, ["it/kind is none of the values that are described"]),
        ({"id": "ab", "kind": None}, []),
        ({"id": "ab", "other": 1}, ["it/other is not described"]),
        ({"id": "ab", "more": {"a": 1}}, ["it/more/* is integer, described as string"]),
        ({"id": "ab", "inner": [{"id": "ab"}, {}]}, ["it/inner[]/id is missing"]),
        ({"id": "ab", "strange": "y"}, ["it/strange the description says pattern, which is not read here"]),
        ([], ["it is array, described as object"]),
    ],
)
def test_a_value_is_held_against_its_schema(tmp_path: Path, value: object, told: list[str]) -> None:
    found: list[str] = []
    known = SmokeballDescription(description(tmp_path))
    known.check({"$ref": "#/components/schemas/Thing"}, value, "it", lambda where, what: found.append(f"{where} {what}"))
    assert found == told


def test_a_fixed_word_in_a_path_goes_before_a_placeholder(tmp_path: Path) -> None:
    known = SmokeballDescription(description(tmp_path, **{"contacts__{id}": {"post": {}}, "contacts__batch": {"post": {}}}))
    fixed, free = known.find("POST", "contacts/batch"), known.find("POST", "/contacts/b-1")
    assert fixed is not None
    assert free is not None
    assert (fixed.template, free.template) == ("/contacts/batch", "/contacts/{id}")
    assert known.find("GET", "contacts/batch") is None
    assert known.find("POST", "contacts/b-1/tags") is None


def test_the_stand_ins_own_answers_are_held_against_it(tmp_path: Path) -> None:
    wrong = {"type": "object", "properties": {"name": {"type": "integer"}, "phone": {"type": "string"}}}
    report = check_smokeball(description(tmp_path, firm={"get": answers(wrong)}))
    told = {(each.call, each.where, each.what) for each in report.unexplained}
    assert ("answer GET /firm, the stand-in", "the body/name", "is string, described as integer") in told
    assert "GET /firm: the stand-in never gives phone" in report.left_out
    assert report.checked["answers"] == 3


def test_a_recorded_request_is_held_against_it(tmp_path: Path) -> None:
    body = {"requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}}
    limit = {"in": "query", "name": "Limit", "schema": {"type": "integer", "maximum": 500}}
    status = {"in": "query", "name": "Status", "schema": {"type": "array", "items": {"type": "string"}}}
    thing = {"$ref": "#/components/schemas/Thing"}
    path = description(
        tmp_path, things={"post": {**body, **answers(thing, "202")}, "get": {"parameters": [limit, status], **answers(thing)}}
    )
    recorded = [
        exchange("POST", "things", body='{"id": "abc"}', status=202, answer='{"id": "abc"}'),
        exchange("POST", "things", body='{"id": 1}', status=202, answer='{"id": 2}', headers={"content-type": "text/plain"}),
        exchange("POST", "things", body="not JSON", status=418, answer="{}"),
        exchange("GET", "things", query="limit=501&Colour=red&Status=a&status=b", answer='{"id": "ab"}'),
        exchange("GET", "matter-types"),
        exchange("GET", "things", status=0),
        exchange("GET", "things", server="api", status=500),
    ]
    report = check_smokeball(path, recorded)
    told = {f"{each.where} {each.what}" for each in report.unexplained if each.call.endswith("the recording")}
    assert told == {
        "the header x-api-key is missing",
        "the header authorization is missing",
        "the content type is text/plain, which is not described",
        "the body/id is integer, described as string",
        "the body is no JSON",
        "the status is 418, which is not described",
        "query limit is out of the range that is described",
        "query Colour is not described",
        "the call is not described",
    }
    assert "answers of GET /things that were spoilt" in report.left_out


def test_a_file_that_describes_nothing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="not a description"):
        check_smokeball(file)
