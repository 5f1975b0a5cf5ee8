"""Smokeball: files and folders of a matter. A file is an entry first, and its bytes follow over a signed link to another host."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, g

from sandbox.clock import Clock
from sandbox.smokeball_answers import Problem, Query, answer, head, instant, link, order, paged, read_body
from sandbox.smokeball_firm import File, Folder, Matter, SmokeballFirm, iso
from sandbox.smokeball_gate import Effects, caller_name, calling_staff, find_matter
from sandbox.smokeball_storage import Storage
from sandbox.switches import Switches

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

LONGEST_NAME = 256
_FILES = "/matters/<matter_id>/documents/files"
_FOLDERS = "/matters/<matter_id>/documents/folders"


def make_documents(clock: Clock, switches: Switches, effects: Effects, storage: Storage) -> Blueprint:
    """The calls about files and folders. The gate must stand before them."""
    pages = Blueprint("smokeball_documents", __name__)

    def find(matter_id: str, file_id: str) -> File:
        found = g.firm.files.get(find_matter(matter_id).id, {}).get(file_id.lower())
        if found is None:
            raise Problem(404, "There is no such file.")
        return found  # type: ignore[no-any-return]

    def show(file: File) -> dict[str, object]:
        return file_json(file, g.firm, cancelled=not file.versions and file.link_expires < clock.now())

    def upload_info(file: File, status: int) -> Response:
        url, expires = storage.sign("PUT", file, str(uuid.uuid4()))
        file.link_expires = expires
        return answer({"fileId": file.id, "uploadUrl": url, "expiry": iso(expires)}, switches, status)

    def visible(matter: Matter) -> list[File]:
        with g.firm.lock:
            rows = list(g.firm.files.get(matter.id, {}).values())
        rows = [each for each in rows if each.at + switches.smokeball_list_seconds <= clock.now()]
        return [each for each in rows if switches.smokeball_deleted_listed or not each.deleted]

    @pages.get(_FILES)
    def files(matter_id: str) -> ResponseReturnValue:
        """Oldest first. With `Cursor`, what changed after it; the cursor of an answer is the last row's version mark."""
        query, matter = Query(), find_matter(matter_id)
        rows = visible(matter)
        _by, downwards = order(query, "datecreated")
        rows.sort(key=lambda each: each.created, reverse=downwards)
        for term in query.all("Search"):
            name, _colon, wanted = term.partition(":")
            words = wanted.strip("*! ").casefold()
            if name.lower() not in ("query", "fileextension"):
                raise Problem(400, "Search wants query or fileExtension.", ("Search", "not a field to search"))
            by_name = name.lower() == "query"
            rows = [each for each in rows if words in (each.name if by_name else _extension(each.name)).casefold()]
        cursor = query.one("Cursor")
        if cursor:
            position = next((at for at, each in enumerate(rows) if each.id == cursor), -1)
            rows = rows[position + 1 :]
        return answer(paged(query, rows, show), switches)

    @pages.post(_FILES)
    def add(matter_id: str) -> ResponseReturnValue:
        firm, matter, body = g.firm, find_matter(matter_id), read_body()
        wrong = _file_trouble(body, firm, matter)
        if wrong:
            raise Problem(400, "The file is not valid.", *wrong)
        now = clock.now()
        created, modified = (instant(body[name]) if body.get(name) else now for name in ("dateCreated", "dateModified"))
        if created is None or modified is None:
            raise Problem(400, "The file is not valid.", ("dateCreated", "is not a date"))
        caller = calling_staff()
        file = File(
            id=str(uuid.uuid4()),
            matter=matter.id,
            name=body["fileName"],
            folder="" if body.get("folderPath") else body.get("folderId") or "",
            owner=body.get("userId") or (caller.user_id if caller else ""),
            additional=dict(body.get("fileAdditionalData") or {}),
            created=created,
            modified=modified,
            version=str(uuid.uuid4()),
            by=caller_name(),
        )
        path = [part for part in re.split(r"[\\/]+", body.get("folderPath") or "") if part]

        def appear() -> None:
            with firm.lock:
                if path:
                    file.folder = _make_path(firm, matter.id, path)
                file.at = clock.now()
                firm.files.setdefault(matter.id, {})[file.id] = file

        effects.land(appear)
        return upload_info(file, 202)

    @pages.get(f"{_FILES}/<file_id>")
    def one(matter_id: str, file_id: str) -> ResponseReturnValue:
        return answer(show(find(matter_id, file_id)), switches)

    @pages.route(f"{_FILES}/<file_id>", methods=["PUT", "PATCH"])
    def change(matter_id: str, file_id: str) -> ResponseReturnValue:
        """Other particulars, and a link for a new version of the bytes."""
        firm, file, body = g.firm, find(matter_id, file_id), read_body()
        wrong = _file_trouble({"fileName": file.name, **body}, firm, find_matter(matter_id))
        if wrong:
            raise Problem(400, "The file is not valid.", *wrong)

        def take_effect() -> None:
            with firm.lock:
                file.name = body.get("fileName") or file.name
                file.folder = body.get("folderId") or file.folder
                file.additional = {**file.additional, **(body.get("fileAdditionalData") or {})}
                file.favourite = bool(body.get("isFavorite", file.favourite))
                file.modified = clock.now()

        effects.land(take_effect)
        return upload_info(file, 202)

    @pages.delete(f"{_FILES}/<file_id>")
    def delete(matter_id: str, file_id: str) -> ResponseReturnValue:
        file = find(matter_id, file_id)

        def take_effect() -> None:
            file.deleted = True

        effects.land(take_effect)
        return answer(link(_path(file), file.id, "File"), switches, 202)

    @pages.get(f"{_FILES}/<file_id>/upload")
    def upload(matter_id: str, file_id: str) -> ResponseReturnValue:
        """A fresh link: for bytes that never came, or for a new version."""
        return upload_info(find(matter_id, file_id), 200)

    @pages.get(f"{_FILES}/<file_id>/download")
    def download(matter_id: str, file_id: str) -> ResponseReturnValue:
        file = find(matter_id, file_id)
        version = Query().one("versionId") or file.version
        if version not in [known for known, _sha in file.versions]:
            raise Problem(404, "The file has no such bytes.")
        url, expires = storage.sign("GET", file, version)
        body = {
            "fileId": file.id,
            "name": _stem(file.name),
            "fileExtension": _extension(file.name),
            "downloadUrl": url,
            "expiry": iso(expires),
            "sizeBytes": len(g.firm.contents[dict(file.versions)[version]]),
        }
        return answer(body, switches)

    def listing(matter: Matter, parent: str) -> dict[str, object]:
        with g.firm.lock:
            folders = [each for each in g.firm.folders.get(matter.id, {}).values() if each.parent == parent]
        path = f"matters/{matter.id}/documents/folders"
        entry = {
            **(head(f"{path}/{parent}", parent, "FolderListing") if parent else {"id": None}),
            "folders": [folder_json(each) for each in folders],
            "files": [show(each) for each in visible(matter) if each.folder == parent],
        }
        return paged(Query(), [entry], lambda each: each)

    @pages.get(_FOLDERS)
    def root(matter_id: str) -> ResponseReturnValue:
        return answer({**listing(find_matter(matter_id), ""), "parentId": None, "name": None}, switches)

    @pages.get(f"{_FOLDERS}/<folder_id>")
    def folder(matter_id: str, folder_id: str) -> ResponseReturnValue:
        matter = find_matter(matter_id)
        found = g.firm.folders.get(matter.id, {}).get(folder_id.lower())
        if found is None:
            raise Problem(404, "There is no such folder.")
        return answer({**listing(matter, found.id), "parentId": found.parent or None, "name": found.name}, switches)

    @pages.post(_FOLDERS)
    def add_folder(matter_id: str) -> ResponseReturnValue:
        """A new folder each time: two may have one name."""
        firm, matter, body = g.firm, find_matter(matter_id), read_body()
        name, parent = body.get("name"), body.get("parentFolderId") or ""
        if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
            raise Problem(400, "The folder has no name that can be taken.", ("name", "wants 1 to 256 characters"))
        if parent and parent not in firm.folders.get(matter.id, {}):
            raise Problem(400, "There is no such parent folder.", ("parentFolderId", "there is no such folder"))
        made = Folder(str(uuid.uuid4()), matter.id, parent, name)

        def appear() -> None:
            with firm.lock:
                firm.folders.setdefault(matter.id, {})[made.id] = made

        effects.land(appear)
        return answer(link(f"matters/{matter.id}/documents/folders/{made.id}", made.id, "Folder"), switches, 202)

    return pages


def file_json(file: File, firm: SmokeballFirm, *, cancelled: bool) -> dict[str, object]:
    """A file as it is read."""
    matter = f"matters/{file.matter}"
    folder = link(f"{matter}/documents/folders/{file.folder}", file.folder, "Folder") if file.folder else None
    return {
        **head(_path(file), file.id, "File"),
        "versionId": file.version,
        "folder": folder,
        "matter": link(matter, file.matter, "Matter"),
        "name": _stem(file.name),
        "fileExtension": _extension(file.name),
        "ownerId": file.owner or None,
        "to": None,
        "from": None,
        "dateCreated": iso(file.created),
        "dateModified": iso(file.modified),
        "sizeBytes": len(firm.contents.get(file.sha256, b"")),
        "downloadInfo": link(f"{_path(file)}/download", file.id, "DownloadInfo") if file.uploaded else None,
        "additionalData": file.additional,
        "isFavorite": file.favourite,
        "isUploaded": file.uploaded,
        "isCancelled": cancelled,
        "isDuplicate": False,
        "isDeleted": file.deleted,
    }


def folder_json(folder: Folder) -> dict[str, object]:
    """A folder as it is read."""
    return {
        **head(f"matters/{folder.matter}/documents/folders/{folder.id}", folder.id, "Folder"),
        "parentId": folder.parent or None,
        "name": folder.name,
    }


def _path(file: File) -> str:
    return f"matters/{file.matter}/documents/files/{file.id}"


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _extension(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


def _make_path(firm: SmokeballFirm, matter: str, path: list[str]) -> str:
    """The folder at the end of a path; what is missing on the way is made."""
    kept = firm.folders.setdefault(matter, {})
    parent = ""
    for name in path:
        found = next((each for each in kept.values() if each.parent == parent and each.name == name), None)
        if found is None:
            found = Folder(str(uuid.uuid4()), matter, parent, name)
            kept[found.id] = found
        parent = found.id
    return parent


def _file_trouble(body: dict[str, Any], firm: SmokeballFirm, matter: Matter) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    name, more = body.get("fileName"), body.get("fileAdditionalData")
    texts = ("folderId", "folderPath", "userId", "dateCreated", "dateModified")
    wrong += [(each, "wants text") for each in texts if not isinstance(body.get(each), str | None)]
    if not isinstance(name, str) or not name or len(name) > LONGEST_NAME:
        wrong.append(("fileName", "wants 1 to 256 characters"))
    elif not _stem(name) or _extension(name) == ".":
        wrong.append(("fileName", "wants an extension"))
    if more is not None and not (isinstance(more, dict) and all(isinstance(value, str | None) for value in more.values())):
        wrong.append(("fileAdditionalData", "wants texts by name"))
    if wrong:
        return wrong
    if body.get("folderId") and not body.get("folderPath") and body["folderId"] not in firm.folders.get(matter.id, {}):
        wrong.append(("folderId", "there is no such folder"))
    if body.get("userId") and not any(each.user_id == body["userId"] for each in firm.staff):
        wrong.append(("userId", "there is no such user"))
    return wrong
