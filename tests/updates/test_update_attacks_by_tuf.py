"""What the TUF specification lists as attacks, beside those of the first table; and what must go on working: new keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from desktop.services.errors import ServiceError
from desktop.services.http import Http, Limits
from desktop.services.updates.repository import UpdateRefused, UpdateRepository
from installer import release as release_side
from installer.release import Repository
from tests.updates.update_rig import PACKAGE, Mirror, reading, release, served


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http()
    yield made
    made.close()


class Yard:
    """One repository, its mirror and this PC."""

    def __init__(self, http: Http, mirror: Mirror, tmp_path: Path) -> None:
        self.http, self.mirror, self.tmp = http, mirror, tmp_path
        self.shipped = (tmp_path / "ours" / "site" / "metadata" / "1.root.json").read_bytes()

    @property
    def ours(self) -> Repository:
        """As whoever releases has it, all keys at hand, now."""
        return Repository(self.tmp / "ours" / "site", self.tmp / "ours" / "keys", now=datetime.now(UTC))

    def pc(self) -> UpdateRepository:
        return UpdateRepository(self.http, self.mirror.url, self.shipped, self.tmp / "updates", platform="linux-deb")

    def publish(self, version: str, platform: str = "linux-deb") -> None:
        file = self.tmp / f"iconnect-{version}.deb"
        file.write_bytes(PACKAGE + version.encode())
        self.ours.publish(platform, version, file)

    def packages(self) -> list[str]:
        folder = self.tmp / "updates" / "packages"
        return [path.name for path in folder.iterdir() if "latest" not in path.name] if folder.exists() else []


@pytest.fixture
def yard(http: Http, tmp_path: Path) -> Iterator[Yard]:
    release(tmp_path / "ours", "1.1.0")
    with served(tmp_path / "ours" / "site") as mirror:
        yield Yard(http, mirror, tmp_path)


def write(yard: Yard, made: Metadata[Root] | Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp], name: str) -> None:
    made.to_file(str(yard.mirror.folder / "metadata" / name))


Attack = Callable[[Yard], None]


def wrong_key_for_the_timestamp(yard: Yard) -> None:
    made = Metadata[Timestamp].from_file(str(yard.mirror.folder / "metadata" / "timestamp.json"))
    made.sign(yard.ours._key("snapshot"))
    write(yard, made, "timestamp.json")


def wrong_key_for_the_targets(yard: Yard) -> None:
    """Whoever holds the keys that lie on the server has no key for releases."""
    made = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "2.targets.json"))
    made.signed.targets["linux-deb/evil.deb"] = TargetFile.from_data("linux-deb/evil.deb", b"evil")
    made.sign(yard.ours._key("snapshot"))
    write(yard, made, "2.targets.json")


def mixed_targets_of_another_state(yard: Yard) -> None:
    """Mix and match: the newest snapshot, with the targets of an earlier one under its name."""
    folder = yard.mirror.folder / "metadata"
    (folder / "2.targets.json").write_bytes((folder / "1.targets.json").read_bytes())


def signature_counted_twice(yard: Yard) -> None:
    """A threshold of two met by one root key that signs twice."""
    made = Metadata[Root].from_file(str(yard.mirror.folder / "metadata" / "1.root.json"))
    made.signed.version = 2
    made.sign(yard.ours._key("root-1"))
    told = json.loads(made.to_bytes())
    told["signatures"] = [told["signatures"][0]] * 2
    (yard.mirror.folder / "metadata" / "2.root.json").write_text(json.dumps(told))


def root_that_skips_a_version(yard: Yard) -> None:
    """A root of version 3 served as the second."""
    made = Metadata[Root].from_file(str(yard.mirror.folder / "metadata" / "1.root.json"))
    made.signed.version = 3
    made.sign(yard.ours._key("root-1"))
    made.sign(yard.ours._key("root-2"), append=True)
    write(yard, made, "2.root.json")


def revoked_timestamp_key(yard: Yard) -> None:
    """The key was replaced; whoever stole the old one goes on signing with it."""
    old = Metadata[Timestamp].from_file(str(yard.mirror.folder / "metadata" / "timestamp.json"))
    thief = yard.ours._key("timestamp")
    yard.ours.rotate("timestamp")
    old.signed.version = 9
    old.signed.expires = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
    old.sign(thief)
    write(yard, old, "timestamp.json")


def release_that_nobody_signed(yard: Yard) -> None:
    """Arbitrary software: announced by nothing that is signed, put where the release lies."""
    for file in (yard.mirror.folder / "targets" / "linux-deb").glob("*.deb"):
        file.write_bytes(b"E" * file.stat().st_size)


def announced_but_not_signed(yard: Yard) -> None:
    """The list of releases names a file that the signed targets do not hold."""
    signed = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "2.targets.json")).signed
    latest = b'{"version": "1.2.0", "file": "elsewhere.deb"}'
    _announce(yard, signed, latest)


def package_of_another_platform(yard: Yard) -> None:
    """Extraneous dependencies, or another platform's package: a name may not lead out of the platform's folder, signed or not."""
    yard.publish("1.2.0", "windows")
    signed = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "3.targets.json")).signed
    signed.targets["linux-deb/../windows/iconnect-1.2.0.deb"] = signed.targets["windows/iconnect-1.2.0.deb"]
    _announce(yard, signed, b'{"version": "1.2.0", "file": "../windows/iconnect-1.2.0.deb"}')


def list_of_releases_that_is_none(yard: Yard) -> None:
    signed = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "2.targets.json")).signed
    _announce(yard, signed, b'["1.2.0"]')


def endless_list_of_releases(yard: Yard) -> None:
    signed = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "2.targets.json")).signed
    _announce(yard, signed, b" " * 3_000_000)


def endless_root(yard: Yard) -> None:
    flood = b" " * 3_000_000
    yard.mirror.instead = lambda path: (200, flood, len(flood)) if path.endswith("2.root.json") else None


def endless_package(yard: Yard) -> None:
    flood = PACKAGE * 30
    yard.mirror.instead = lambda path: (200, flood, len(flood)) if path.endswith(".deb") else None


def _announce(yard: Yard, signed: Targets, latest: bytes) -> None:
    """Even with the key for releases: what a PC does not install, nobody's signature makes it install."""
    known = TargetFile.from_data("linux-deb/latest.json", latest)
    signed.targets["linux-deb/latest.json"] = known
    (yard.mirror.folder / "targets" / "linux-deb" / f"{known.hashes['sha256']}.latest.json").write_bytes(latest)
    signed.version += 1
    ours = yard.ours
    ours._write(Metadata(signed), f"{signed.version}.targets.json", "targets")
    ours._snapshot(signed.version)


REFUSED: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        wrong_key_for_the_timestamp,
        wrong_key_for_the_targets,
        mixed_targets_of_another_state,
        signature_counted_twice,
        root_that_skips_a_version,
        revoked_timestamp_key,
        release_that_nobody_signed,
        announced_but_not_signed,
        package_of_another_platform,
        list_of_releases_that_is_none,
        endless_list_of_releases,
        endless_root,
        endless_package,
    )
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_tuf_lists_is_refused_and_nothing_is_kept(name: str, yard: Yard) -> None:
    """I8: the attacks of the TUF specification that the first table does not hold."""
    REFUSED[name](yard)
    with pytest.raises(UpdateRefused):
        look_and_fetch(yard.pc())
    assert yard.packages() == []


def look_and_fetch(pc: UpdateRepository) -> None:
    offer = pc.newest("1.0.0")
    assert offer is not None
    pc.fetch(offer)


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp"])
def test_every_role_that_has_expired_is_refused(role: str, http: Http, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """I8: freeze: each list's own end counts, not the timestamp's alone."""
    monkeypatch.setitem(release_side.LIVES, role, timedelta(days=-1))
    release(tmp_path / "ours", "1.1.0")
    with served(tmp_path / "ours" / "site") as mirror, pytest.raises(UpdateRefused, match="ExpiredMetadata"):
        reading(http, mirror, tmp_path / "ours" / "site", tmp_path / "updates").newest("1.0.0")


def test_an_older_release_of_the_program_is_not_offered_even_when_it_is_rightly_signed(yard: Yard) -> None:
    """I8, I11: downgrade: the release key is misused to name an old version as the latest."""
    assert yard.pc().newest("1.0.0") is not None
    signed = Metadata[Targets].from_file(str(yard.mirror.folder / "metadata" / "2.targets.json")).signed
    _announce(yard, signed, b'{"version": "0.9.0", "file": "iconnect-1.1.0.deb"}')
    assert yard.pc().newest("1.1.0") is None


def test_a_list_that_comes_drop_by_drop_is_given_up_as_not_reached(yard: Yard) -> None:
    """I8: slow retrieval: there is always a little more, and never the end of it."""
    yard.mirror.drops = lambda path: path.endswith("timestamp.json")
    pc = UpdateRepository(
        yard.http,
        yard.mirror.url,
        yard.shipped,
        yard.tmp / "updates",
        platform="linux-deb",
        patience=Limits(connect=5.0, read=5.0, total=0.5),
    )
    with pytest.raises(ServiceError):
        pc.newest("1.0.0")
    assert yard.packages() == []


def test_a_package_that_comes_drop_by_drop_is_given_up_and_leaves_nothing(yard: Yard) -> None:
    """I8: slow retrieval, of the package."""
    pc = UpdateRepository(
        yard.http,
        yard.mirror.url,
        yard.shipped,
        yard.tmp / "updates",
        platform="linux-deb",
        package_patience=Limits(connect=5.0, read=5.0, total=0.5),
    )
    offer = pc.newest("1.0.0")
    assert offer is not None
    yard.mirror.drops = lambda path: path.endswith(".deb")
    with pytest.raises(ServiceError):
        pc.fetch(offer)
    assert yard.packages() == []


def test_a_package_that_was_changed_on_this_pc_is_not_taken_for_proved(yard: Yard) -> None:
    """I8: what is installed is proved a moment before, not when it was downloaded."""
    pc = yard.pc()
    offer = pc.newest("1.0.0")
    assert offer is not None
    file = pc.fetch(offer)
    file.write_bytes(b"E" * file.stat().st_size)
    assert pc.fetch(offer).read_bytes() == PACKAGE + b"1.1.0"
    yard.mirror.instead = lambda path: (404, b"", 0) if path.endswith(".deb") else None
    file.write_bytes(b"E" * file.stat().st_size)
    with pytest.raises(UpdateRefused):
        pc.fetch(offer)


@pytest.mark.parametrize("role", ["root-1", "root-3", "targets", "snapshot", "timestamp", None])
def test_new_keys_are_followed_by_pcs_that_know_only_the_old_ones(role: str | None, yard: Yard) -> None:
    """I8: rotation by the threshold: two of three root keys say it."""
    assert yard.pc().newest("1.0.0") is not None
    yard.ours.rotate(role)
    yard.publish("1.2.0")
    offer = yard.pc().newest("1.0.0")
    assert offer is not None
    assert offer.version == "1.2.0"
    assert yard.pc().fetch(offer).read_bytes() == PACKAGE + b"1.2.0"


def test_every_root_key_replaced_one_after_the_other_is_followed_from_the_first_root(yard: Yard) -> None:
    """I8: the PC that was asleep for years knows only the root that it was shipped with."""
    for role in release_side.ROOT_KEYS:
        yard.ours.rotate(role)
    yard.publish("1.2.0")
    offer = yard.pc().newest("1.0.0")
    assert offer is not None
    assert offer.version == "1.2.0"


@pytest.mark.parametrize("lost", ["root-2", "timestamp"])
def test_a_lost_key_is_replaced_by_those_that_are_left(lost: str, yard: Yard) -> None:
    """I8: key loss is no end of updates."""
    (yard.tmp / "ours" / "keys" / f"{lost}.pem").unlink()
    yard.ours.rotate(lost)
    yard.publish("1.2.0")
    assert yard.pc().newest("1.0.0") is not None


@pytest.mark.parametrize("role", ["timestamp", "root-1", "root-2", None])
def test_one_root_key_alone_makes_no_new_root_and_changes_nothing(role: str | None, yard: Yard) -> None:
    """I8."""
    keys = yard.tmp / "ours" / "keys"
    for name in ("root-2", "root-3"):
        (keys / f"{name}.pem").unlink()
    before = {path.name: path.read_bytes() for path in keys.iterdir()}
    with pytest.raises(ValueError, match="needs 2 root keys"):
        yard.ours.rotate(role)
    assert {path.name: path.read_bytes() for path in keys.iterdir()} == before
    assert not (yard.mirror.folder / "metadata" / "2.root.json").exists()


def test_a_version_far_ahead_is_recovered_from_by_a_new_key(yard: Yard) -> None:
    """I8: fast-forward: a stolen timestamp key signs a version so high that none of ours comes after it."""
    stolen = yard.ours._key("timestamp")
    made = Metadata[Timestamp].from_file(str(yard.mirror.folder / "metadata" / "timestamp.json"))
    made.signed.version = 2**31
    made.sign(stolen)
    good = (yard.mirror.folder / "metadata" / "timestamp.json").read_bytes()
    write(yard, made, "timestamp.json")
    assert yard.pc().newest("1.0.0") is not None
    (yard.mirror.folder / "metadata" / "timestamp.json").write_bytes(good)
    with pytest.raises(UpdateRefused):
        yard.pc().newest("1.0.0")
    yard.ours.rotate("timestamp")
    assert yard.pc().newest("1.0.0") is not None


def test_notes_are_plain_text_whatever_the_repository_wrote(yard: Yard) -> None:
    file = yard.tmp / "iconnect-1.2.0.deb"
    file.write_bytes(PACKAGE)
    yard.ours.publish("linux-deb", "1.2.0", file, "Faster.\n\x1b[31m<b>Safer</b>\u202e\x00\r\nKinder.")
    offer = yard.pc().newest("1.0.0")
    assert offer is not None
    assert offer.notes == "Faster.\n[31m<b>Safer</b>\nKinder."


def test_a_release_that_is_not_above_the_last_is_not_published(yard: Yard) -> None:
    """I8: version monotonic, on the release side too."""
    file = yard.tmp / "x.deb"
    file.write_bytes(PACKAGE)
    for version in ("1.1.0", "1.0.9"):
        with pytest.raises(ValueError, match="not above"):
            yard.ours.publish("linux-deb", version, file)
    with pytest.raises(ValueError, match="characters"):
        yard.ours.publish("linux-deb", "1.2.0", file, "x" * 4_001)


def test_the_release_side_says_when_what_expires(yard: Yard, capsys: pytest.CaptureFixture[str]) -> None:
    """I2: a list that ends unseen would stop all updates: the check is for the release calendar."""
    site = str(yard.mirror.folder)
    assert release_side.main(["check", site]) == 0
    assert {line.split(":")[0] for line in capsys.readouterr().out.splitlines()} == {"root", "targets", "snapshot", "timestamp"}
    shutil.rmtree(yard.tmp / "ours")
    release(yard.tmp / "ours", "1.1.0", now=datetime.now(UTC) - timedelta(days=11))
    assert release_side.main(["check", site]) == 1
    assert "timestamp: expires" in capsys.readouterr().out


def test_no_private_key_lies_in_the_source_tree() -> None:
    """I8: keys offline."""
    from installer.facts import ROOT

    marks = (b"BEGIN PRIVATE " + b"KEY", b"BEGIN EC PRIVATE " + b"KEY", b"BEGIN RSA PRIVATE " + b"KEY")
    looked = [
        path
        for folder in ("desktop", "installer", "sandbox", "resources", "docs", "tests", ".github")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".png")
    ]
    assert len(looked) > 100
    found = [path.relative_to(ROOT).as_posix() for path in looked if any(mark in path.read_bytes() for mark in marks)]
    assert found == []
    assert not [path.name for path in looked if path.suffix in (".pem", ".key", ".pfx", ".p12")]
