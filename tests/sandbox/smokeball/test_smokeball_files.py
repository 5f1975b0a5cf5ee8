"""Files in the Smokeball stand-in are entries first; their bytes go to another host that is strict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.house import Sandbox
from sandbox.smokeball_seeds import FIRM_ID
from tests.sandbox.smokeball.smokeball_visitor import NUMBER, SmokeballCaller, SmokeballVisitor, books, put
from tests.sandbox.visitors import Controls


def test_a_file_is_an_entry_first_then_bytes_on_another_host_and_uploaded_later(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter)
    assert (made.status_code, set(made.json())) == (202, {"fileId", "uploadUrl", "expiry"})
    path = f"matters/{matter}/documents/files/{made.json()['fileId']}"
    assert caller.call("GET", path).status_code == 404
    later()
    record = caller.get(path)
    assert (record["name"], record["fileExtension"], record["isUploaded"], record["sizeBytes"]) == ("result", ".pdf", False, 0)
    assert caller.call("GET", f"{path}/download").status_code == 404
    assert (books(controls)["documents"], len(books(controls)["unfinished"])) == ([], 1)
    host = made.json()["uploadUrl"].split("/")[2]
    assert host != caller.api.split("/")[2]
    assert put(made.json()["uploadUrl"]).status_code == 200
    assert not caller.get(path)["isUploaded"]
    later()
    record = caller.get(path)
    assert (record["isUploaded"], record["sizeBytes"], record["additionalData"]) == (True, 14, {"iconnect": "IT-1-D-1"})
    there = caller.get(f"{path}/download")
    assert requests.get(there["downloadUrl"]).content == b"%PDF the bytes"
    (document,) = books(controls, NUMBER)["documents"]
    assert (document["text"], document["folder"], document["file_name"]) == ("IT-1-D-1", "InfoTrack", "result.pdf")
    assert requests.get(f"{controls.url}/api/documents/{document['sha256']}").content == b"%PDF the bytes"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url, caller: put(url, content_type="application/pdf"),
        lambda url, caller: put(url, content_type="application/octet-stream"),
        lambda url, caller: put(url, x_api_key=caller.key),
        lambda url, caller: put(url, authorization=f"Bearer {caller.token}"),
        lambda url, caller: put(url, x_amz_meta_order="1"),
        lambda url, caller: put(f"{url}&x=1"),
        lambda url, caller: put(url.replace("X-Amz-Expires=900", "X-Amz-Expires=901")),
        lambda url, caller: put(url[:-1] + ("0" if url[-1] != "0" else "1")),
        lambda url, caller: put(url.replace("/sandbox-files/", "/sandbox-files/x")),
        lambda url, caller: requests.get(url),
        lambda url, caller: requests.post(url, data=b"x", headers={"Content-Type": ""}),
    ],
)
def test_a_signed_link_is_good_for_nothing_else(
    caller: SmokeballCaller,
    matter: str,
    controls: Controls,
    later: Callable[[], None],
    spoil: Callable[[str, SmokeballCaller], requests.Response],
) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    answer = spoil(url, caller)
    assert answer.status_code == 403
    assert "<Code>SignatureDoesNotMatch</Code>" in answer.text
    later()
    assert books(controls)["documents"] == []
    assert put(url).status_code == 200


def test_bytes_without_a_length_are_not_taken(caller: SmokeballCaller, matter: str) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    assert requests.put(url, data=iter([b"a", b"b"]), headers={"Content-Type": ""}).status_code == 501


def test_a_missing_content_type_is_taken_or_not_by_a_switch(caller: SmokeballCaller, matter: str, box: Sandbox) -> None:
    url = caller.post_file(matter).json()["uploadUrl"]
    bare = {"Content-Type": None}
    assert requests.put(url, data=b"x", headers=bare).status_code == 200
    box.world.switches.smokeball_content_type_needed = True
    assert requests.put(url, data=b"x", headers=bare).status_code == 403
    assert put(url).status_code == 200


def test_a_link_ends_the_entry_is_given_up_and_a_fresh_link_saves_it(
    caller: SmokeballCaller, matter: str, box: Sandbox, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter).json()
    path = f"matters/{matter}/documents/files/{made['fileId']}"
    box.world.clock.advance(901)
    answer = put(made["uploadUrl"])
    assert (answer.status_code, "AccessDenied" in answer.text) == (403, True)
    later()
    assert caller.get(path)["isCancelled"]
    fresh = caller.get(f"{path}/upload")
    assert fresh["fileId"] == made["fileId"]
    assert put(fresh["uploadUrl"]).status_code == 200
    later()
    record = caller.get(path)
    assert (record["isUploaded"], record["isCancelled"]) == (True, False)


def test_a_second_version_is_the_same_file(
    caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]
) -> None:
    made = caller.post_file(matter).json()
    put(made["uploadUrl"])
    later()
    path = f"matters/{matter}/documents/files/{made['fileId']}"
    put(caller.get(f"{path}/upload")["uploadUrl"], b"%PDF second")
    later()
    assert caller.get(path)["sizeBytes"] == 11
    (document,) = books(controls)["documents"]
    assert document["versions"] == 2


def test_files_are_listed_oldest_first_and_from_a_cursor(
    caller: SmokeballCaller, matter: str, controls: Controls, box: Sandbox, later: Callable[[], None]
) -> None:
    ids = []
    for number in range(3):
        ids.append(caller.post_file(matter, fileName=f"result {number}.docx").json()["fileId"])
        later()
    path = f"matters/{matter}/documents/files"
    assert [row["id"] for row in caller.get(path)["value"]] == ids
    assert [row["id"] for row in caller.get(path, sort="desc(dateCreated)")["value"]] == ids[::-1]
    assert [row["id"] for row in caller.get(path, cursor=ids[0])["value"]] == ids[1:]
    assert [row["id"] for row in caller.get(path, search="query:result 2")["value"]] == ids[2:]
    controls.delete(f"smokeball/files/{ids[0]}")
    assert caller.get(path)["value"][0]["isDeleted"]


@pytest.mark.parametrize(
    "changes",
    [
        {"fileName": "no extension"},
        {"fileName": ""},
        {"fileName": "x" * 256 + ".pdf"},
        {"fileAdditionalData": {"iconnect": 1}},
        {"folderId": FIRM_ID, "folderPath": None},
        {"userId": FIRM_ID},
    ],
)
def test_a_file_that_is_wrong_is_refused(caller: SmokeballCaller, matter: str, changes: dict[str, Any]) -> None:
    assert caller.post_file(matter, **changes).status_code == 400


def test_folders_of_one_name_are_two_and_a_path_makes_what_is_missing_once(
    caller: SmokeballCaller, matter: str, later: Callable[[], None]
) -> None:
    path = f"matters/{matter}/documents/folders"
    for _ in range(2):
        caller.post_file(matter, folderPath="InfoTrack/Titles")
    later()
    (listing,) = caller.get(path)["value"]
    assert [folder["name"] for folder in listing["folders"]] == ["InfoTrack"]
    below = caller.get(f"{path}/{listing['folders'][0]['id']}")
    assert (below["name"], [folder["name"] for folder in below["value"][0]["folders"]]) == ("InfoTrack", ["Titles"])
    for _ in range(2):
        assert caller.call("POST", path, json={"name": "Twin"}).status_code == 202
    later()
    assert [folder["name"] for folder in caller.get(path)["value"][0]["folders"]] == ["InfoTrack", "Twin", "Twin"]
    assert caller.call("POST", path, json={"name": ""}).status_code == 400


def test_faults_meet_the_file_host_too(caller: SmokeballCaller, matter: str, controls: Controls, later: Callable[[], None]) -> None:
    made = caller.post_file(matter).json()
    controls.post("faults", name="drop_after", where="smokeball_files PUT", count=1)
    controls.post("faults", name="status", where="smokeball_files PUT", status=503, count=1, skip=0)
    with pytest.raises(requests.RequestException):
        put(made["uploadUrl"])
    assert put(made["uploadUrl"]).status_code == 503
    later()
    assert len(books(controls)["documents"]) == 1


def test_uploads_want_the_matters_scope_as_well(person: SmokeballVisitor, caller: SmokeballCaller, matter: str) -> None:
    for scopes, status in (("documents/write", 403), ("documents/write matters/write", 202)):
        token = person.tokens(scope=scopes)["access_token"]
        assert SmokeballCaller(caller.api, caller.key, token).post_file(matter).status_code == status
