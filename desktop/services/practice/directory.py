"""The directory: this PC's copy of the firm's matters, refreshed cheaply, searched as a person types, offline too."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import apsw

from desktop.private_files import make_private
from desktop.services.errors import NotNow
from desktop.services.infotrack.model import OrderMessage
from desktop.services.ledger.model import Suggestion
from desktop.services.practice.considerate import considerate
from desktop.services.practice.directory_store import DirectoryStore, RefreshReport, RefreshTimes, Stamp, WrongLayout
from desktop.services.practice.matter_index import MatterIndex, build_index
from desktop.services.practice.matter_marks import Mark, marks
from desktop.services.practice.matter_search import NUMBER, NUMBER_WITHOUT_ZEROS, MatterSearch, Taste
from desktop.services.practice.matter_suggestions import suggest
from desktop.services.practice.model import Matter, MatterHit, Staff
from desktop.services.practice.number_slips import number_readings, number_slips
from desktop.services.practice.search_text import canonical_number, compact, fold, words

__all__ = ["Directory", "Mark", "RefreshReport", "RefreshTimes"]

log = logging.getLogger(__name__)

_RECENT = 50
_RECENT_BONUS = 0.1
_RECENT_DAYS = 30.0
_NOTICE_SECONDS = 0.2
_READER_KIB = 512
_WRITER_KIB = 8192
_SLIP = 0.62
_LONGEST_NUMBER = 64


@dataclass(frozen=True, slots=True)
class _View:
    """One complete state of the copy, as searches see it. Replaced, never edited."""

    stamp: Stamp
    searches: tuple[MatterSearch, ...]
    rows: int


class Directory:
    """All methods may be called from any thread and answer from this PC alone.

    Readers see the old copy until a refresh is complete. Another process's refresh of the same file is noticed by the next
    search and taken over in the background. Matters of all tenants of all practice systems lie side by side."""

    def __init__(self, path: Path, *, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._swapping = threading.Lock()
        self._refreshing: dict[tuple[str, str], threading.Lock] = {}
        self._file = 0
        self._reader = _open_or_begin_anew(path)
        self._noticed_at = time.monotonic()
        self._data_version = -1
        self._loading: threading.Thread | None = None
        self._recent: list[tuple[int, float]] = []
        self._unsaved: dict[tuple[str, str, str], float] = {}
        self._closed = False
        self._view = self._load(self._reader)
        self._read_recent()

    @classmethod
    def open(cls, path: Path, *, clock: Callable[[], datetime]) -> Directory:
        """Opens or begins the copy. A damaged file, or one of another layout, is set aside as `<name>.damaged.db` and the
        copy begins empty. Raises NotNow when the folder can't be written."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(path, clock=clock)
        except (apsw.Error, OSError) as error:
            raise NotNow(_cannot_write(error)) from error

    def close(self) -> None:
        self.settle()
        with self._writing:
            self._save_uses()
            self._closed = True
        with self._reading:
            self._reader.close()

    # -- refreshing -----------------------------------------------------------------------------------------------

    def replace(self, system: str, tenant: str, matters: Iterable[Matter], *, began: datetime | None = None) -> RefreshReport:
        """Makes `matters` the tenant's current list. Raises what the stream raises, having changed nothing, or NotNow.

        Matters that have left the list stay findable with `is_open` False. Takes the time of the stream and some 30 µs for
        each new matter, less than half of it for an unchanged one. While the stream is read, nobody else waits for it but
        another refresh of the same tenant. `began`: when the
        stream was asked for; without it the next refresh has to be a whole one."""
        return self._refreshed(system, tenant, matters, began, whole=True)

    def merge(self, system: str, tenant: str, matters: Iterable[Matter], *, began: datetime | None = None) -> RefreshReport:
        """As `replace`, with only the matters that changed: they are added or updated, the others stay as they are. One with
        `is_open` False leaves the current list and stays findable; the report counts it as gone."""
        return self._refreshed(system, tenant, matters, began, whole=False)

    def _refreshed(
        self, system: str, tenant: str, matters: Iterable[Matter], began: datetime | None, *, whole: bool
    ) -> RefreshReport:
        with self._one_at_a_time(system, tenant), considerate():
            file = self._file
            with self._writer() as store:
                staged = store.stage(system, tenant, matters)
                index: MatterIndex | None = None
                with self._writing:
                    if file != self._file:
                        raise NotNow("The local copy of the matters was damaged and begun anew meanwhile. Refresh once more.")
                    with store.transaction():
                        report = store.apply(system, tenant, staged, self._clock(), began=began, whole=whole)
                        stamp = store.stamp()
                        waiting = store.changed_since(stamp.indexed)
                        if waiting > max(2000, self._view.rows // 20):
                            index = store.store_index()
                    self._show(self._load(store, index))
        self._save_uses()
        return report

    def _one_at_a_time(self, system: str, tenant: str) -> threading.Lock:
        with self._swapping:
            return self._refreshing.setdefault((system, tenant), threading.Lock())

    def keep(self, matter: Matter) -> None:
        """Adds or updates one matter, such as one that was asked for by its number. Raises NotNow."""
        with self._writing, self._writer() as store:
            with store.transaction():
                changed = store.keep(matter)
            if changed:
                self._show(self._load(store))

    def forget(self, system: str, tenant: str) -> int:
        """Removes a tenant's matters for good and gives how many they were. Raises NotNow."""
        with self._writing, self._writer() as store:
            with store.transaction():
                removed = store.forget(system, tenant)
                index = store.store_index()
            self._show(self._load(store, index))
        with self._reading:
            self._read_recent()
        return removed

    def note_use(self, matter: Matter) -> None:
        """The person ordered for or opened this matter: it ranks higher from now on. Fast; never waits for a refresh."""
        at = self._clock().timestamp()
        self._unsaved[(matter.system, matter.tenant, matter.id)] = at
        with self._reading:
            row = self._reader.row_of(matter.system, matter.tenant, matter.id)
            if row is not None:
                self._recent = [(row, at), *[(other, when) for other, when in self._recent if other != row]][:_RECENT]
        if self._writing.acquire(blocking=False):
            try:
                self._save_uses()
            finally:
                self._writing.release()

    # -- finding --------------------------------------------------------------------------------------------------

    def find(self, text: str, limit: int = 50, *, mine: Sequence[Staff] = (), now: datetime | None = None) -> tuple[MatterHit, ...]:
        """Best first. `mine`: who the signed-in person is at each practice system (id, e-mail or name; empty ones ignored).

        An empty text gives the matters used lately, then the person's own. Meant for every key press: it never waits for a
        refresh and never raises."""
        if limit < 1:
            return ()
        at = (now or self._clock()).timestamp()
        try:
            with self._reading:
                self._notice()
            view, recent = self._view, self._recent
            if not words(text) and not canonical_number(text):
                return self._lately(view, recent, limit, mine)
            return self._found(view, recent, text, limit, mine, at)
        except (apsw.CorruptError, apsw.NotADBError):
            log.exception("the matters' copy is damaged")
            self._begin_anew()
            return ()
        except apsw.Error:
            log.exception("the matters' copy can't be read")
            return ()

    def _found(
        self, view: _View, recent: list[tuple[int, float]], text: str, limit: int, mine: Sequence[Staff], at: float
    ) -> tuple[MatterHit, ...]:
        bonus = {row: _RECENT_BONUS * max(0.2, 1 - (at - when) / 86400 / _RECENT_DAYS) for row, when in recent}
        scores: dict[int, tuple[float, bool]] = {}
        partial: dict[int, tuple[float, bool]] = {}
        leads = {lead for search in view.searches for lead in search.index.leads}
        meant = self._with_numbers(number_readings(text, leads)) if len(text) <= _LONGEST_NUMBER else {}
        for search in view.searches:
            rows = search.index.rows
            for found in search.find(text, limit, Taste(bonus, _my_tokens(search.index, mine)), known_number=bool(meant)):
                (scores if found.complete else partial)[rows[found.doc]] = (found.score, found.mine)
        if not scores and not meant:
            scores = partial
        if len(text) <= _LONGEST_NUMBER and len(scores) < limit:
            # Swapped digits are always offered, below; any other slip only when there is nothing better.
            slips = number_slips(text, leads, all_kinds=not scores and not meant)
            for row, number in self._with_numbers(slips).items():
                scores.setdefault(row, (_SLIP + slips[canonical_number(number)], False))
        wanted = compact(text)
        for row, number in meant.items():
            score = NUMBER if compact(number) == wanted else NUMBER_WITHOUT_ZEROS
            scores[row] = (max(score + bonus.get(row, 0.0), scores.get(row, (0.0, False))[0]), scores.get(row, (0.0, False))[1])
        best = sorted(scores.items(), key=lambda pair: -pair[1][0])[: limit + 8]
        matters = self._matters([row for row, _ in best])
        hits = []
        for row, (score, is_mine) in best:
            matter = matters.get(row)
            if matter is not None:
                is_mine = is_mine or (row in meant and _is_one_of(matter.staff, mine))
                hits.append(MatterHit(matter, score, mine=is_mine, recent=row in bonus))
        exact = text.strip().casefold()
        hits.sort(key=lambda hit: hit.matter.number.strip().casefold() != exact)
        return tuple(hits[:limit])

    def _with_numbers(self, canonical: Collection[str]) -> dict[int, str]:
        if not canonical:
            return {}
        with self._reading:
            return self._reader.by_canonical(canonical)

    def _lately(self, view: _View, recent: list[tuple[int, float]], limit: int, mine: Sequence[Staff]) -> tuple[MatterHit, ...]:
        rows = dict.fromkeys([row for row, _ in recent][:limit])
        own: list[int] = []
        for search in view.searches:
            own += search.rows_of(_my_tokens(search.index, mine), limit)
        mine_rows = set(own)
        for row in own:
            rows.setdefault(row)
        chosen = list(rows)[: limit + len(recent)]
        matters = self._matters(chosen)
        is_recent = {row for row, _ in recent}
        return tuple(
            MatterHit(matters[row], 0.0, mine=row in mine_rows or _is_one_of(matters[row].staff, mine), recent=row in is_recent)
            for row in chosen
            if row in matters
        )[:limit]

    def _matters(self, rows: Sequence[int]) -> dict[int, Matter]:
        if not rows:
            return {}
        with self._reading:
            return self._reader.matters(rows)

    # -- asking ---------------------------------------------------------------------------------------------------

    def by_id(self, system: str, matter_id: str, tenant: str | None = None) -> Matter | None:
        """A matter that was once known by its number alone answers to that too. Raises NotNow when the copy can't be read."""
        with self._reading, _as_not_now():
            found = list(self._reader.by_id(system, matter_id))
        named = [] if found else [matter for matter in self.by_number(matter_id) if matter.system == system]
        if len(named) == 1:
            found = named
        return next((matter for matter in found if tenant is None or matter.tenant == tenant), None)

    def by_number(self, number: str) -> tuple[Matter, ...]:
        """Exact number, case and surrounding blanks ignored, in every tenant's copy. Raises NotNow."""
        wanted = number.strip().casefold()
        with self._reading, _as_not_now():
            rows = self._reader.by_canonical([canonical_number(number)])
            found = self._reader.matters([row for row, known in rows.items() if known.strip().casefold() == wanted])
        return tuple(found.values())

    def suggestions(self, message: OrderMessage, limit: int = 5) -> tuple[Suggestion, ...]:
        """Matters that an unmatched order may belong to, best first, each with its reason. Some tens of milliseconds at
        most: not for every key press. Raises NotNow."""
        with _as_not_now():
            return suggest(self, message, limit)

    def with_any_word(self, wanted: Iterable[str], limit: int) -> tuple[Matter, ...]:
        """Matters whose client or name holds at least one of these folded words, those that hold the rarest first."""
        telling = list(wanted)
        view = self._view
        rows = [row for search in view.searches for row in search.rows_holding(telling, limit)][: 2 * limit]
        matters = self._matters(rows)
        return tuple(matters[row] for row in rows if row in matters)[:limit]

    def with_company_number(self, digits: str, limit: int) -> tuple[Matter, ...]:
        """Matters whose name, client or description holds an ACN, ABN or NZBN. Reads them all: some 100 ms for 100,000."""
        with self._reading:
            return self._reader.with_text(digits, limit)

    @staticmethod
    def matches(text: str, matter: Matter) -> tuple[Mark, ...]:
        """Which letters of this matter answer to what was typed, for marking them in a list."""
        return marks(text, matter)

    def count(self) -> int:
        """Matters in the current lists of all tenants. Raises NotNow."""
        with self._reading, _as_not_now():
            return self._reader.count()

    def refreshed_at(self, system: str | None = None, tenant: str | None = None) -> datetime | None:
        """When the copy (or one tenant's) was last refreshed; None before the first time. Raises NotNow."""
        with self._reading, _as_not_now():
            return self._reader.refreshed_at(system, tenant)

    def refresh_times(self, system: str, tenant: str) -> RefreshTimes | None:
        """When its last refreshes began; None where nothing is known of them. Raises NotNow."""
        with self._reading, _as_not_now():
            return self._reader.refresh_times(system, tenant)

    # -- keeping up -----------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Waits until another process's refresh, if one was noticed, has been taken over."""
        with self._reading:
            if not self._closed:
                self._notice(at_once=True)
        loading = self._loading
        if loading is not None:
            loading.join()

    def _notice(self, *, at_once: bool = False) -> None:
        """Looks, now and then, whether somebody else has changed the file. Holding `_reading`."""
        moment = time.monotonic()
        if not at_once and moment - self._noticed_at < _NOTICE_SECONDS:
            return
        self._noticed_at = moment
        version = self._reader.data_version()
        if version == self._data_version:
            return
        self._data_version = version
        self._read_recent()
        if self._reader.stamp() != self._view.stamp and (self._loading is None or not self._loading.is_alive()):
            self._loading = threading.Thread(target=self._take_over, name="directory-reload", daemon=True)
            self._loading.start()

    def _take_over(self) -> None:
        try:
            with self._writer() as store:
                self._show(self._load(store))
        except NotNow:
            log.exception("another process's refresh could not be read; the next search tries again")
            self._data_version = -1

    def _show(self, view: _View) -> None:
        with self._swapping:
            if view.stamp.revision >= self._view.stamp.revision:
                self._view = view

    def _load(self, store: DirectoryStore, index: MatterIndex | None = None) -> _View:
        """The newest complete state: the stored index, and a small one over what changed since."""
        with store.reading():
            stamp = store.stamp()
            if index is None:
                shown = getattr(self, "_view", None)
                if stamp.indexed == 0:
                    index = None
                elif shown is not None and shown.stamp.indexed == stamp.indexed and shown.searches:
                    index = shown.searches[0].index
                else:
                    index = store.load_index()
            newer = list(store.index_rows(stamp.indexed)) if index is not None else list(store.index_rows(-1))
        if index is None:
            # Few matters have no stored index, and one of an older program can't be read: all are indexed in memory.
            whole = build_index(newer)
            return _View(stamp, (MatterSearch(whole),), whole.size)
        if not newer:
            return _View(stamp, (MatterSearch(index),), index.size)
        changed = {row.row for row in newer}
        dead = frozenset([doc for doc, row in enumerate(index.rows) if row in changed])
        return _View(stamp, (MatterSearch(index, dead), MatterSearch(build_index(newer))), index.size + len(newer) - len(dead))

    # -- the file -------------------------------------------------------------------------------------------------

    @contextmanager
    def _writer(self) -> Iterator[DirectoryStore]:
        with _as_not_now():
            store = DirectoryStore(self._path, cache_kib=_WRITER_KIB, patience_ms=10_000)
            try:
                yield store
            finally:
                store.close()

    def _read_recent(self) -> None:
        self._recent = self._reader.recent(_RECENT)

    def _save_uses(self) -> None:
        """Best effort: a use that can't be written now is kept in memory for the next time."""
        if not self._unsaved or self._closed:
            return
        unsaved = dict(self._unsaved)
        try:
            with self._reading:
                self._reader.save_uses([(*key, at) for key, at in unsaved.items()])
        except apsw.Error:
            log.info("uses could not be noted now")
            return
        for key, at in unsaved.items():
            if self._unsaved.get(key) == at:
                del self._unsaved[key]

    def _begin_anew(self) -> None:
        with self._writing, self._reading:
            try:
                self._reader.close()
                _set_aside(self._path)
                self._reader = _open_or_begin_anew(self._path)
            except (apsw.Error, OSError):
                log.exception("the matters' copy could not be begun anew")
                return
            self._file += 1
            self._data_version = -1
            self._recent = []
            with self._swapping:
                self._view = _View(Stamp(-1, -1), (), 0)


def _my_tokens(index: MatterIndex, mine: Sequence[Staff]) -> frozenset[int]:
    if not mine:
        return frozenset()
    return frozenset(
        place
        for place, person in enumerate(index.persons, index.first_person)
        if _is_one_of((Staff(person.id, person.name, person.email),), mine)
    )


def _is_one_of(staff: Iterable[Staff], mine: Sequence[Staff]) -> bool:
    """By id or e-mail; by name only where one of the two has neither in common to compare."""
    for member in staff:
        for me in mine:
            if me.id and member.id == me.id:
                return True
            if me.email and member.email:
                if me.email.casefold() == member.email.casefold():
                    return True
            elif me.name and not (me.id and member.id) and fold(me.name).split() == fold(member.name).split():
                return True
    return False


def _open_or_begin_anew(path: Path) -> DirectoryStore:
    make_private(path)
    try:
        return DirectoryStore(path, cache_kib=_READER_KIB, patience_ms=50)
    except (apsw.CorruptError, apsw.NotADBError, WrongLayout):
        log.warning("the matters' copy is damaged or of another layout: set aside, the next refresh fills a new one")
        _set_aside(path)
        make_private(path)
        return DirectoryStore(path, cache_kib=_READER_KIB, patience_ms=50)


def _set_aside(path: Path) -> None:
    """One damaged file is kept for support; an older one is replaced, since it holds clients' names."""
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.replace(path.with_name(f"{path.stem}.damaged{path.suffix}"))


@contextmanager
def _as_not_now() -> Iterator[None]:
    try:
        yield
    except (apsw.Error, OSError) as error:
        raise NotNow(_cannot_write(error)) from error


def _cannot_write(error: Exception) -> str:
    reasons: dict[type[Exception], str] = {
        apsw.FullError: "the disk is full: free some space",
        apsw.BusyError: "another program holds it: try again in a moment",
        apsw.ReadOnlyError: "it may not be written: check the permissions of the profile folder",
        apsw.CorruptError: "it is damaged: refresh the matters, a new copy is then made",
        apsw.NotADBError: "it is damaged: refresh the matters, a new copy is then made",
    }
    why = reasons.get(type(error), "check the disk and the permissions of the profile folder")
    return f"The local copy of the matters can't be used now; {why}."
