"""The file behind the directory: matters, what was used lately, and the packed search index. SQL lives here alone.

The file can be rebuilt from the practice systems at any time, so it runs with WAL and synchronous NORMAL: a power cut may cost
the latest refresh, never the file. A damaged file or one of another layout is set aside and begun anew.
"""

from __future__ import annotations

import logging
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

import apsw
import msgspec

from desktop.services.practice.matter_index import FORMAT, IndexRow, MatterIndex, build_index
from desktop.services.practice.model import Matter, Staff
from desktop.services.practice.search_text import canonical_number

log = logging.getLogger(__name__)

APPLICATION = 0x69434D44
LAYOUT = 1

SCHEMA = """
CREATE TABLE tenant (
    no INTEGER PRIMARY KEY, system TEXT NOT NULL, tenant TEXT NOT NULL, refreshed_at REAL,
    UNIQUE (system, tenant)
);
CREATE TABLE matter (
    row INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, id TEXT NOT NULL, number TEXT NOT NULL, canonical TEXT NOT NULL,
    name TEXT NOT NULL, client TEXT NOT NULL, client_id TEXT NOT NULL, state TEXT NOT NULL, staff TEXT NOT NULL,
    description TEXT NOT NULL, is_open INTEGER, listed INTEGER NOT NULL, digest INTEGER NOT NULL, revision INTEGER NOT NULL
);
CREATE UNIQUE INDEX matter_id ON matter (id, tenant);
CREATE INDEX matter_number ON matter (canonical);
CREATE INDEX matter_revision ON matter (revision);
CREATE VIEW shown AS SELECT m.row, m.id, m.listed, t.system, m.name || '|' || m.client || '|' || m.description AS texts,
    json_array(m.row, t.system, t.tenant, m.id, m.number, m.name, m.client, m.client_id, m.state, m.staff, m.description, m.is_open)
    AS content FROM matter m JOIN tenant t ON t.no = m.tenant;
CREATE TABLE used (tenant INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
CREATE TABLE stamp (revision INTEGER NOT NULL, indexed INTEGER NOT NULL);
INSERT INTO stamp VALUES (0, 0);
CREATE TABLE part (name TEXT PRIMARY KEY, content BLOB NOT NULL);
"""
# Beside the layout, so that a copy of an earlier program goes on as it is: its next refresh is a whole one.
TIMES = "CREATE TABLE IF NOT EXISTS refresh (tenant INTEGER PRIMARY KEY, began REAL NOT NULL, whole_began REAL NOT NULL)"
STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged (
    id TEXT, number TEXT, canonical TEXT, name TEXT, client TEXT, client_id TEXT, state TEXT, staff TEXT, description TEXT,
    is_open INTEGER, digest INTEGER
);
DELETE FROM staged;
"""
# Matters come as one JSON text: one step of SQLite, so that another busy thread gets in between but once.
_MATTERS = "SELECT json_group_array(json(content)) FROM shown WHERE row IN (SELECT value FROM json_each(?))"
_BY_ID = """
SELECT json_group_array(json(content)) FROM
(SELECT content FROM shown WHERE id = ? AND system = ? ORDER BY listed DESC, row DESC)
"""
_WITH_TEXT = """
SELECT json_group_array(json(content)) FROM
(SELECT content FROM shown WHERE instr(replace(texts, ' ', ''), ?) ORDER BY row DESC LIMIT ?)
"""
_PUT = """
INSERT OR REPLACE INTO matter (row, tenant, id, number, canonical, name, client, client_id, state, staff, description, is_open,
listed, digest, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TAKE_STAGED = """
INSERT INTO matter (tenant, id, number, canonical, name, client, client_id, state, staff, description, is_open, listed, digest,
revision) SELECT ?1, id, number, canonical, name, client, client_id, state, staff, description, is_open,
?3 OR is_open IS NOT 0, digest, ?2 FROM staged WHERE true ORDER BY rowid
ON CONFLICT (id, tenant) DO UPDATE SET number = excluded.number, canonical = excluded.canonical, name = excluded.name,
client = excluded.client, client_id = excluded.client_id, state = excluded.state, staff = excluded.staff,
description = excluded.description, is_open = excluded.is_open, listed = excluded.listed, digest = excluded.digest,
revision = excluded.revision
"""
# A matter that was known by its number alone, and whose id is told now, is the same one.
_TELL_IDS = """
UPDATE OR IGNORE matter SET id = s.id FROM staged s
WHERE matter.tenant = ?1 AND matter.id = s.number AND matter.number = s.number AND s.id <> s.number
"""
_REFRESHED_AT = "SELECT max(refreshed_at) FROM tenant WHERE (?1 IS NULL OR system = ?1) AND (?2 IS NULL OR tenant = ?2)"

# Arrays are stored in the byte order and widths of the machine that made them.
_FORMAT = f"{FORMAT} {sys.byteorder} {array('I').itemsize}".encode()


@dataclass(frozen=True, slots=True)
class Stamp:
    """`revision` counts changes of matters; `indexed` is the revision that the stored index covers."""

    revision: int
    indexed: int


@dataclass(frozen=True, slots=True)
class RefreshTimes:
    """When the last successful refresh of a tenant began, and the last one that read its whole list (aware UTC)."""

    began: datetime
    whole_began: datetime


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh found: matters in the answer, of them new and changed, and those no longer in it."""

    total: int
    new: int
    changed: int
    gone: int


class DirectoryStore:
    """One connection to the file. Not for two threads at once; each thread or lock has its own."""

    def __init__(self, path: Path, *, cache_kib: int, patience_ms: int) -> None:
        """Raises apsw.Error when the file can't be opened, is damaged or is of another layout (then `WrongLayout`)."""
        self._connection = apsw.Connection(str(path))
        try:
            self._connection.set_busy_timeout(10_000)
            self._prepare(cache_kib)
            self._connection.set_busy_timeout(patience_ms)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, cache_kib: int) -> None:
        connection = self._connection
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "normal")
        connection.pragma("cache_size", -cache_kib)
        connection.pragma("temp_store", "file")
        connection.pragma("journal_size_limit", 1 << 20)
        if connection.pragma("user_version") == 0:
            with self.transaction():
                if connection.pragma("user_version") == 0 and not connection.execute("SELECT 1 FROM sqlite_schema").get:
                    connection.execute(SCHEMA)
                    connection.pragma("application_id", APPLICATION)
                    connection.pragma("user_version", LAYOUT)
        if connection.pragma("user_version") != LAYOUT or connection.pragma("application_id") != APPLICATION:
            raise WrongLayout("another layout")
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'refresh'").get:
            with self.transaction():
                connection.execute(TIMES)

    def close(self) -> None:
        self._connection.close()

    def transaction(self) -> Transaction:
        return Transaction(self._connection)

    # -- reading --------------------------------------------------------------------------------------------------

    def data_version(self) -> int:
        """Changes when another connection, in this process or another, has committed."""
        return int(self._connection.execute("PRAGMA data_version").get)

    def stamp(self) -> Stamp:
        row = self._connection.execute("SELECT revision, indexed FROM stamp").fetchone()
        if row is None:
            raise apsw.CorruptError("stamp is empty")
        return Stamp(*row)

    def matters(self, rows: Sequence[int]) -> dict[int, Matter]:
        """By row; rows that are gone are left out."""
        return dict(self._read(_MATTERS, (msgspec.json.encode(rows).decode(),)))

    def by_id(self, system: str, matter_id: str) -> tuple[Matter, ...]:
        """In every tenant of that system, those of a current list first."""
        return tuple(matter for _, matter in self._read(_BY_ID, (matter_id, system)))

    def _read(self, query: str, bindings: tuple[str | int, ...]) -> list[tuple[int, Matter]]:
        text = self._connection.execute(query, bindings).get
        return [(row[0], _matter(row[1:])) for row in msgspec.json.decode(text)]

    def by_canonical(self, canonical: Iterable[str]) -> dict[int, str]:
        """Row and number of every matter whose number reads like one of these."""
        found = self._connection.execute(
            "SELECT json_group_array(json_array(row, number)) FROM matter WHERE canonical IN (SELECT value FROM json_each(?))",
            (msgspec.json.encode(list(canonical)).decode(),),
        ).get
        return dict(msgspec.json.decode(found))

    def with_text(self, digits: str, limit: int) -> tuple[Matter, ...]:
        """Matters whose name, client or description holds these digits, whatever blanks stand between. Reads all: slow."""
        return tuple(matter for _, matter in self._read(_WITH_TEXT, (digits, limit)))

    def row_of(self, system: str, tenant: str, matter_id: str) -> int | None:
        found = self._connection.execute(
            "SELECT m.row FROM tenant t JOIN matter m ON m.tenant = t.no AND m.id = ? WHERE t.system = ? AND t.tenant = ?",
            (matter_id, system, tenant),
        ).get
        return None if found is None else int(found)

    def save_uses(self, used: Iterable[tuple[str, str, str, float]]) -> None:
        with self.transaction():
            self.note_use(used)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the file for all reads inside."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    def count(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM matter WHERE listed").get)

    def refreshed_at(self, system: str | None, tenant: str | None) -> datetime | None:
        at = self._connection.execute(_REFRESHED_AT, (system, tenant)).get
        return None if at is None else datetime.fromtimestamp(at, UTC)

    def refresh_times(self, system: str, tenant: str) -> RefreshTimes | None:
        """None before the first refresh that noted them."""
        found = self._connection.execute(
            "SELECT r.began, r.whole_began FROM refresh r JOIN tenant t ON t.no = r.tenant WHERE t.system = ? AND t.tenant = ?",
            (system, tenant),
        ).fetchone()
        return None if found is None else RefreshTimes(*(datetime.fromtimestamp(at, UTC) for at in found))

    def recent(self, limit: int) -> list[tuple[int, float]]:
        """Rows used latest, with the time of use (seconds since 1970), latest first."""
        text = self._connection.execute(
            "SELECT json_group_array(json_array(row, at)) FROM (SELECT m.row, u.at FROM used u "
            "JOIN matter m ON m.tenant = u.tenant AND m.id = u.id ORDER BY u.at DESC LIMIT ?)",
            (limit,),
        ).get
        return [(row, at) for row, at in msgspec.json.decode(text)]

    # -- the index ------------------------------------------------------------------------------------------------

    def load_index(self) -> MatterIndex | None:
        """The stored index; None when there is none or it can't be read."""
        if self._part("format") != _FORMAT:
            return None
        try:
            return MatterIndex.from_parts(self._part)
        except (KeyError, ValueError, msgspec.DecodeError):
            log.warning("the stored search index can't be read: it is built anew")
            return None

    def _part(self, name: str) -> bytes:
        content = self._connection.execute("SELECT content FROM part WHERE name = ?", (name,)).get
        return content if isinstance(content, bytes) else b""

    def index_rows(self, since: int) -> Iterator[IndexRow]:
        """Matters changed after revision `since` in the order of rest: open ones first, then by number, newest first."""
        for row in self._connection.execute(
            "SELECT row, number, name, client, staff, is_open IS NOT 0 FROM matter WHERE revision > ? "
            "ORDER BY is_open IS 0, length(canonical) DESC, canonical DESC",
            (since,),
        ):
            yield IndexRow(*row)

    def changed_since(self, since: int) -> int:
        return int(self._connection.execute("SELECT count(*) FROM matter WHERE revision > ?", (since,)).get)

    def store_index(self) -> MatterIndex:
        """Builds the index from all matters and stores it; inside a transaction."""
        index = build_index(self.index_rows(-1))
        self._connection.executemany("INSERT OR REPLACE INTO part VALUES (?, ?)", [("format", _FORMAT), *index.parts().items()])
        self._connection.execute("UPDATE stamp SET indexed = revision")
        return index

    # -- writing --------------------------------------------------------------------------------------------------

    def next_revision(self) -> int:
        self._connection.execute("UPDATE stamp SET revision = revision + 1")
        return self.stamp().revision

    def tenant_no(self, system: str, tenant: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO tenant (system, tenant) VALUES (?, ?)", (system, tenant))
        return int(self._connection.execute("SELECT no FROM tenant WHERE system = ? AND tenant = ?", (system, tenant)).get)

    def stage(self, system: str, tenant: str, matters: Iterable[Matter]) -> Staged:
        """Reads the stream to its end into a place of its own; nothing that others see changes. Raises what the stream raises."""
        connection = self._connection
        connection.execute(STAGING)
        # Most matters are as they were: a digest that is known says so without a look at the row.
        known = dict(
            connection.execute(
                "SELECT m.digest, m.row FROM tenant t JOIN matter m ON m.tenant = t.no "
                "WHERE t.system = ? AND t.tenant = ? AND m.listed",
                (system, tenant),
            )
        )
        seen = bytearray(1 + max(known.values(), default=0))
        teams = _Teams()
        total = 0
        ids: dict[str, str] | None = None

        def different() -> Iterator[tuple[object, ...]]:
            nonlocal total, ids
            row_of = known.get
            for matter in matters:
                total += 1
                if matter.id == matter.number:
                    ids = self._ids_by_number(system, tenant) if ids is None else ids
                    matter = replace(matter, id=ids.get(matter.number, matter.id))
                matter, staff, digest = _digest(matter, teams)
                row = row_of(digest)
                if row is not None:
                    seen[row] = 1
                    continue
                yield (
                    matter.id, matter.number, canonical_number(matter.number), matter.name, matter.client, matter.client_id,
                    matter.state, staff, matter.description, matter.is_open, digest,
                )  # fmt: skip

        connection.execute("BEGIN")
        try:
            connection.executemany("INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", different())
        finally:
            # Staging is a table of this connection alone: what has been staged of a failed stream is emptied next time.
            connection.execute("COMMIT")
        return Staged(total, [row for row in known.values() if not seen[row]])

    def _ids_by_number(self, system: str, tenant: str) -> dict[str, str]:
        """A list may leave out ids that a single answer tells (vendor docs): what is known of a matter stays."""
        rows = self._connection.execute(
            "SELECT m.number, m.id FROM tenant t JOIN matter m ON m.tenant = t.no "
            "WHERE t.system = ? AND t.tenant = ? AND m.id <> m.number ORDER BY m.listed, m.row",
            (system, tenant),
        )
        return dict(rows)

    def apply(
        self, system: str, tenant: str, staged: Staged, at: datetime, *, began: datetime | None, whole: bool = True
    ) -> RefreshReport:
        """Makes what was staged the copy; inside a transaction. `whole`: what was not there has left the list; otherwise
        what was staged is what changed, and of that leaves the list what is not open."""
        connection = self._connection
        no = self.tenant_no(system, tenant)
        connection.execute("UPDATE tenant SET refreshed_at = ? WHERE no = ?", (at.timestamp(), no))
        if began is None:
            connection.execute("DELETE FROM refresh WHERE tenant = ?", (no,))
        else:
            connection.execute(
                "INSERT INTO refresh VALUES (?1, ?2, CASE WHEN ?3 THEN ?2 ELSE 0 END) ON CONFLICT DO UPDATE SET began = ?2,"
                " whole_began = CASE WHEN ?3 THEN ?2 ELSE whole_began END",
                (no, began.timestamp(), whole),
            )
        unseen = staged.unseen if whole else []
        if not unseen and not connection.execute("SELECT 1 FROM staged LIMIT 1").get:
            return RefreshReport(staged.total, 0, 0, 0)
        before = self._size()
        revision = self.next_revision()
        connection.execute(_TELL_IDS, (no,))
        connection.execute(_TAKE_STAGED, (no, revision, whole))
        connection.execute("DELETE FROM staged")
        written = self.changed_since(revision - 1)
        closed = 0
        if not whole:
            closed = int(connection.execute("SELECT count(*) FROM matter WHERE revision = ? AND NOT listed", (revision,)).get)
        new = self._size() - before
        # What was neither there as it had been nor staged has left the list.
        connection.executemany(
            "UPDATE matter SET listed = 0, is_open = 0, revision = ?1 WHERE row = ?2 AND tenant = ?3 AND revision < ?1",
            ((revision, row, no) for row in unseen),
        )
        gone = closed or self.changed_since(revision - 1) - written
        return RefreshReport(staged.total, new, written - new, gone)

    def _size(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM matter").get)

    def keep(self, matter: Matter) -> bool:
        """Adds or updates one matter; False when it was there just so. Inside a transaction."""
        connection = self._connection
        no = self.tenant_no(matter.system, matter.tenant)
        found = connection.execute(
            "SELECT row, digest, is_open, listed FROM matter WHERE tenant = ? AND id = ?", (no, matter.id)
        ).fetchone()
        matter, staff, digest = _digest(matter, _Teams())
        is_open: object = matter.is_open
        row, listed = None, 0
        if found is not None:
            row, stored, known_open, listed = found
            is_open = known_open if is_open is None else is_open
            if stored == digest:
                return False
        connection.execute(
            _PUT,
            (
                row, no, matter.id, matter.number, canonical_number(matter.number), matter.name, matter.client, matter.client_id,
                matter.state, staff, matter.description, is_open, listed, digest, self.next_revision(),
            ),
        )  # fmt: skip
        return True

    def note_use(self, used: Iterable[tuple[str, str, str, float]]) -> None:
        """(system, tenant, matter id, seconds since 1970) each; inside a transaction. Keeps the latest thousand."""
        for system, tenant, matter_id, at in used:
            self._connection.execute(
                "INSERT INTO used VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                (self.tenant_no(system, tenant), matter_id, at),
            )
        self._connection.execute("DELETE FROM used WHERE at < (SELECT at FROM used ORDER BY at DESC LIMIT 1 OFFSET 999)")

    def forget(self, system: str, tenant: str) -> int:
        """Removes a tenant's matters; inside a transaction. Gives how many."""
        connection = self._connection
        no = self.tenant_no(system, tenant)
        connection.execute("DELETE FROM matter WHERE tenant = ?", (no,))
        removed = connection.changes()
        connection.execute("DELETE FROM used WHERE tenant = ?", (no,))
        connection.execute("DELETE FROM refresh WHERE tenant = ?", (no,))
        connection.execute("DELETE FROM tenant WHERE no = ?", (no,))
        self.next_revision()
        return removed


@dataclass(frozen=True, slots=True)
class Staged:
    """A stream read to its end: how many matters it held, and the rows that were listed and did not come as they were."""

    total: int
    unseen: list[int]


class WrongLayout(apsw.Error):
    """The file was made by another version of the program, or by another program."""


class Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK when anything is raised."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        if kind is None:
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        else:
            self._roll_back()

    def _roll_back(self) -> None:
        # Some errors (disk full, damage) have already rolled back.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class _Teams(dict[int, tuple[tuple[Staff, ...], str]]):
    """Staff as stored. A firm has few teams, and a list's reader gives the same one again and again."""

    def stored(self, staff: tuple[Staff, ...]) -> str:
        known = self.get(id(staff))
        if known is None:
            if len(self) > 2_000:
                self.clear()
            team = msgspec.json.encode([(member.id, member.name, member.email) for member in staff]).decode()
            # It keeps the team alive, so that no other can come to stand at its address.
            known = self[id(staff)] = (staff, team)
        return known[1]


_OPEN = {True: "1", False: "0", None: ""}


def _digest(matter: Matter, teams: _Teams) -> tuple[Matter, str, int]:
    """The matter as it can be stored, its staff as stored, and 63 bits that change whenever anything of it does."""
    try:
        team = teams.stored(matter.staff)
        text = "\x1f".join(
            (
                matter.id,
                matter.number,
                matter.name,
                matter.client,
                matter.client_id,
                matter.state,
                team,
                matter.description,
                _OPEN[matter.is_open],
            )
        ).encode()
    except UnicodeEncodeError:
        # Half a character, as broken JSON may bring it, can't be stored as text.
        return _digest(_mended(matter), teams)
    return matter, team, int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1


def _mended(matter: Matter) -> Matter:
    def mend(text: str) -> str:
        return text.encode(errors="replace").decode()

    return replace(
        matter,
        id=mend(matter.id),
        number=mend(matter.number),
        name=mend(matter.name),
        client=mend(matter.client),
        client_id=mend(matter.client_id),
        state=mend(matter.state),
        description=mend(matter.description),
        staff=tuple(Staff(mend(member.id), mend(member.name), mend(member.email)) for member in matter.staff),
    )


def _matter(row: Sequence[object]) -> Matter:
    system, tenant, matter_id, number, name, client, client_id, state, staff, description, is_open = row
    team = msgspec.json.decode(str(staff), type=list[tuple[str, str, str]])
    return Matter(
        system=str(system),
        tenant=str(tenant),
        id=str(matter_id),
        number=str(number),
        name=str(name),
        client=str(client),
        client_id=str(client_id),
        state=str(state),
        staff=tuple(Staff(*member) for member in team),
        description=str(description),
        is_open=None if is_open is None else bool(is_open),
    )
