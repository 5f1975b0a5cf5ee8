"""The update repository in hostile hands: every attack is refused, and the program goes on as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from desktop.services.errors import ServiceError
from desktop.services.http import Http
from desktop.services.updates import repository as updates
from desktop.services.updates.repository import Offer, UpdateRefused, UpdateRepository
from tests.updates.update_rig import PACKAGE, Mirror, reading, release, served


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http()
    yield made
    made.close()


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[Mirror]:
    release(tmp_path / "ours", "1.1.0")
    with served(tmp_path / "ours" / "site") as found:
        yield found


@pytest.fixture
def desk(http: Http, mirror: Mirror, tmp_path: Path) -> UpdateRepository:
    return reading(http, mirror, tmp_path / "ours" / "site", tmp_path / "updates")


def packages(tmp_path: Path) -> list[str]:
    folder = tmp_path / "updates" / "packages"
    return [path.name for path in folder.iterdir() if "latest" not in path.name] if folder.exists() else []


def test_a_newer_release_is_offered_fetched_and_proved(desk: UpdateRepository, tmp_path: Path) -> None:
    offer = desk.newest("1.0.9")
    assert offer == Offer("1.1.0", "iconnect-1.1.0.deb", len(PACKAGE) + 5)
    assert desk.fetch(offer).read_bytes() == PACKAGE + b"1.1.0"


@pytest.mark.parametrize("current", ["1.1.0", "1.1.1", "2.0.0", "1.10.0"])
def test_what_is_not_newer_is_not_offered(desk: UpdateRepository, current: str) -> None:
    """I11: also where text would sort the other way."""
    assert desk.newest(current) is None


def test_it_is_fetched_once(desk: UpdateRepository, mirror: Mirror) -> None:
    offer = desk.newest("1.0.0")
    assert offer is not None
    desk.fetch(offer)
    desk.fetch(offer)
    assert sum("iconnect-1.1.0.deb" in path for path in mirror.asked) == 1


# ---- attacks --------------------------------------------------------------------------------------------------------------

Attack = Callable[[Mirror, Path], None]


def swapped_package(mirror: Mirror, tmp_path: Path) -> None:
    evil = b"E" * (len(PACKAGE) + 5)
    mirror.instead = lambda path: (200, evil, len(evil)) if path.endswith(".deb") else None


def longer_package(mirror: Mirror, tmp_path: Path) -> None:
    more = PACKAGE + b"1.1.0" + b"and more"
    mirror.instead = lambda path: (200, more, len(more)) if path.endswith(".deb") else None


def swapped_manifest(mirror: Mirror, tmp_path: Path) -> None:
    """The list of targets changed by whoever holds the server, without a key."""
    for file in (mirror.folder / "metadata").glob("2.targets.json"):
        told = json.loads(file.read_text())
        for name in told["signed"]["targets"]:
            told["signed"]["targets"][name]["length"] = 5
        file.write_text(json.dumps(told))


def swapped_latest(mirror: Mirror, tmp_path: Path) -> None:
    """The small file that names the newest release, changed on the server."""
    evil = b'{"version": "9.9.9", "file": "evil.deb"}'
    mirror.instead = lambda path: (200, evil, len(evil)) if path.endswith("latest.json") else None


def other_publishers_signature(mirror: Mirror, tmp_path: Path) -> None:
    """A whole repository, rightly signed by somebody else."""
    release(tmp_path / "theirs", "9.9.9")
    shutil.rmtree(mirror.folder)
    shutil.copytree(tmp_path / "theirs" / "site", mirror.folder)


def frozen_manifest(mirror: Mirror, tmp_path: Path) -> None:
    """An old state, rightly signed, shown for ever so that a mended hole is never heard of."""
    release(tmp_path / "old", "1.0.5", now=datetime.now(UTC) - timedelta(days=40))
    mirror.folder = tmp_path / "old" / "site"


def one_root_key_stolen(mirror: Mirror, tmp_path: Path) -> None:
    """One of three root keys signs a new root that trusts the thief."""
    from tuf.api.metadata import Metadata, Root

    repository = release(tmp_path / "thief", "9.9.9")
    mine = Metadata[Root].from_file(str(mirror.folder / "metadata" / "1.root.json"))
    thiefs = Metadata[Root].from_file(str(repository.metadata / "1.root.json"))
    mine.signed.version = 2
    mine.signed.keys.update(thiefs.signed.keys)
    for role in ("targets", "snapshot", "timestamp"):
        mine.signed.roles[role] = thiefs.signed.roles[role]
    from installer.release import Repository

    stolen = Repository(tmp_path / "x", tmp_path / "ours" / "keys", now=datetime.now(UTC))._key("root-1")
    mine.sign(stolen)
    mine.to_file(str(mirror.folder / "metadata" / "2.root.json"))


def endless_timestamp(mirror: Mirror, tmp_path: Path) -> None:
    flood = b" " * 2_000_000
    mirror.instead = lambda path: (200, flood, len(flood)) if path.endswith("timestamp.json") else None


def mixed_states(mirror: Mirror, tmp_path: Path) -> None:
    """The newest timestamp with an older snapshot under its name."""
    folder = mirror.folder / "metadata"
    (folder / "2.snapshot.json").write_bytes((folder / "1.snapshot.json").read_bytes())


def unsigned_timestamp(mirror: Mirror, tmp_path: Path) -> None:
    file = mirror.folder / "metadata" / "timestamp.json"
    told = json.loads(file.read_text())
    told["signatures"] = []
    file.write_text(json.dumps(told))


def not_json(mirror: Mirror, tmp_path: Path) -> None:
    mirror.instead = lambda path: (200, b"<html>welcome</html>", 20) if path.endswith(".json") else None


def redirected(mirror: Mirror, tmp_path: Path) -> None:
    mirror.instead = lambda path: (302, b"", 0)


REFUSED: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        swapped_package,
        longer_package,
        swapped_manifest,
        swapped_latest,
        other_publishers_signature,
        frozen_manifest,
        one_root_key_stolen,
        endless_timestamp,
        mixed_states,
        unsigned_timestamp,
        not_json,
        redirected,
    )
}


def look_and_fetch(desk: UpdateRepository) -> None:
    offer = desk.newest("1.0.0")
    assert offer is not None
    desk.fetch(offer)


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_nothing_is_kept(name: str, desk: UpdateRepository, mirror: Mirror, tmp_path: Path) -> None:
    """I8: each row of the attack table."""
    REFUSED[name](mirror, tmp_path)
    with pytest.raises(UpdateRefused):
        look_and_fetch(desk)
    assert packages(tmp_path) == []


def test_an_old_state_is_refused_once_a_newer_was_seen(http: Http, desk: UpdateRepository, mirror: Mirror, tmp_path: Path) -> None:
    """I8: old signed version: rightly signed, not expired, and older than what this PC has seen."""
    shutil.copytree(mirror.folder, tmp_path / "before")
    file = tmp_path / "iconnect-1.2.0.deb"
    file.write_bytes(PACKAGE)
    from installer.release import Repository

    Repository(tmp_path / "ours" / "site", tmp_path / "ours" / "keys", now=datetime.now(UTC)).publish("linux-deb", "1.2.0", file)
    offer = desk.newest("1.0.0")
    assert offer is not None
    assert offer.version == "1.2.0"
    mirror.folder = tmp_path / "before"
    again = reading(http, mirror, tmp_path / "ours" / "site", tmp_path / "updates")
    with pytest.raises(UpdateRefused):
        again.newest("1.0.0")


@pytest.mark.parametrize("at", [0, 1000, len(PACKAGE)])
def test_a_download_that_is_cut_off_leaves_nothing_and_works_the_next_time(
    at: int, desk: UpdateRepository, mirror: Mirror, tmp_path: Path
) -> None:
    """I8: cut-off download."""
    offer = desk.newest("1.0.0")
    assert offer is not None
    whole = PACKAGE + b"1.1.0"
    mirror.instead = lambda path: (200, whole[:at], len(whole)) if path.endswith(".deb") else None
    with pytest.raises((UpdateRefused, ServiceError)):
        desk.fetch(offer)
    assert packages(tmp_path) == []
    mirror.instead = lambda path: None
    assert desk.fetch(offer).read_bytes() == whole


def test_a_full_disk_is_said_and_harms_nothing(desk: UpdateRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I8: full disk."""
    offer = desk.newest("1.0.0")
    assert offer is not None

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tuf.ngclient.updater.Updater.download_target", full)
    with pytest.raises(UpdateRefused, match="No space left"):
        desk.fetch(offer)
    assert packages(tmp_path) == []


def test_a_server_that_is_away_is_no_attack(http: Http, mirror: Mirror, tmp_path: Path) -> None:
    away = Mirror(mirror.folder, "http://127.0.0.1:9")
    with pytest.raises(ServiceError) as caught:
        reading(http, away, tmp_path / "ours" / "site", tmp_path / "updates").newest("1.0.0")
    assert not isinstance(caught.value, UpdateRefused)


@pytest.mark.parametrize("text", ["1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.3-rc1", "", "9" * 9 + ".0.0"])
def test_a_version_is_three_plain_numbers(text: str) -> None:
    with pytest.raises(UpdateRefused):
        updates.version_of(text)
