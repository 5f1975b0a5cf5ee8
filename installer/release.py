"""The update repository, kept by whoever releases: made once, added to at each release, its timestamp renewed each week.

    python -m installer.release init REPOSITORY --keys FOLDER
    python -m installer.release publish REPOSITORY --keys FOLDER --platform windows --version 1.2.0 --file iConnect-Setup.exe
                                        [--notes NOTES.txt]
    python -m installer.release renew REPOSITORY --keys FOLDER
    python -m installer.release rotate REPOSITORY --keys FOLDER --role timestamp
    python -m installer.release check REPOSITORY

`init` makes three root keys, of which two must sign, and one key for each other role, and leaves the root of trust that is shipped
with the program in REPOSITORY/metadata/1.root.json. Move `root-*.pem` and `targets.pem` off this machine afterwards, each to a
medium of its own: `renew` needs only `snapshot.pem` and `timestamp.pem`. The repository is plain files for any web server.

`rotate` replaces the key of a role, or with `root-1`, `root-2` or `root-3` one root key, by a new root that two of the old root
keys sign; without `--role` it only prolongs the root. Installed copies follow by themselves. `check` says when what expires.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

ROOT_KEYS = ("root-1", "root-2", "root-3")
THRESHOLD = 2
LIVES = {
    "root": timedelta(days=365),
    "targets": timedelta(days=365),
    "snapshot": timedelta(days=30),
    "timestamp": timedelta(days=10),
}
MOST_NOTES = 4_000
PLATFORMS = ("windows", "linux-deb", "macos")
_VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
_PRETTY = JSONSerializer(compact=False)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


class Repository:
    """`now` is when it is signed; what expires is counted from it."""

    def __init__(self, folder: Path, keys: Path, *, now: datetime) -> None:
        self.metadata = folder / "metadata"
        self.targets = folder / "targets"
        self._keys = keys
        self._now = now.replace(microsecond=0)

    def init(self) -> None:
        """Raises FileExistsError where there is a repository already."""
        for each in (self.metadata, self.targets, self._keys):
            each.mkdir(parents=True, exist_ok=True)
        if any(self.metadata.iterdir()):
            raise FileExistsError(f"{self.metadata} holds a repository already.")
        root = Root(consistent_snapshot=True, expires=self._end("root"))
        for name in ROOT_KEYS:
            root.add_key(self._new_key(name).public_key, "root")
        root.roles["root"].threshold = THRESHOLD
        for role in ("targets", "snapshot", "timestamp"):
            root.add_key(self._new_key(role).public_key, role)
        self._write(Metadata(root), "1.root.json", *ROOT_KEYS)
        self._write(Metadata(Targets(expires=self._end("targets"))), "1.targets.json", "targets")
        snapshot = Snapshot(expires=self._end("snapshot"), meta={"targets.json": MetaFile(1)})
        self._write(Metadata(snapshot), "1.snapshot.json", "snapshot")
        self._write(Metadata(Timestamp(expires=self._end("timestamp"), snapshot_meta=MetaFile(1))), "timestamp.json", "timestamp")

    def publish(self, platform: str, version: str, file: Path, notes: str = "") -> None:
        """Adds the package and names it as the platform's latest. `notes` is plain text for the person.

        Raises ValueError for a version that is none, for one that is not above the last, and for notes that would be cut."""
        if not _VERSION.fullmatch(version):
            raise ValueError(f"{version} is no version such as 1.2.0.")
        if len(notes) > MOST_NOTES:
            raise ValueError(f"The notes have {len(notes)} characters; {MOST_NOTES} are shown at most.")
        before = self._published(platform)
        if before and _numbers(version) <= _numbers(before):
            raise ValueError(
                f"{version} is not above {before}, the last release for {platform}: installed copies would not take it."
            )
        latest = json.dumps({"version": version, "file": file.name, **({"notes": notes} if notes else {})}).encode() + b"\n"
        signed = Metadata[Targets].from_file(self._newest("targets")).signed
        for name, content in ((f"{platform}/{file.name}", file), (f"{platform}/latest.json", latest)):
            known = TargetFile.from_file(name, str(content)) if isinstance(content, Path) else TargetFile.from_data(name, content)
            signed.targets[name] = known
            place = self.targets / platform / f"{known.hashes['sha256']}.{Path(name).name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, place)
            else:
                place.write_bytes(content)
        signed.version += 1
        signed.expires = self._end("targets")
        self._write(Metadata(signed), f"{signed.version}.targets.json", "targets")
        self._snapshot(signed.version)

    def renew(self) -> None:
        """A new snapshot and timestamp over the same targets: says that this is still the newest state."""
        self._snapshot(Metadata[Targets].from_file(self._newest("targets")).signed.version)

    def rotate(self, role: str | None = None) -> None:
        """A new root: prolonged, and with a new key in the place of `role`'s, also where the old key is lost. An old key's file is
        kept beside as `.old.pem`.

        A new root is signed by enough of the old root keys, which proves it to installed copies, and of the new ones. Where a
        key of another role changes, what it signs is signed anew at once. Raises ValueError, before anything is changed."""
        root = Metadata[Root].from_file(self._newest("root"))
        before = set(root.signed.roles["root"].keyids)
        signers = {name: self._key(name) for name in ROOT_KEYS if (self._keys / f"{name}.pem").exists()}
        present = {signer.public_key.keyid for signer in signers.values()}
        stay = present if role not in signers else present - {signers[role].public_key.keyid}
        if len(present & before) < THRESHOLD or len(stay & before) + (role in ROOT_KEYS) < THRESHOLD:
            raise ValueError(f"A new root needs {THRESHOLD} root keys of before and {THRESHOLD} of after. Bring their media.")
        if role is not None:
            name = "root" if role in ROOT_KEYS else role
            path = self._keys / f"{role}.pem"
            if path.exists():
                gone = self._key(role).public_key.keyid
                path.replace(path.with_suffix(".old.pem"))
            else:
                unknown = sorted(set(root.signed.roles[name].keyids) - present)
                if len(unknown) != 1:
                    raise ValueError(f"It can't be told which key {role} was. Bring the media of the other root keys.")
                gone = unknown[0]
            new = self._new_key(role)
            root.signed.revoke_key(gone, name)
            root.signed.add_key(new.public_key, name)
            if name == "root":
                signers[f"{role}, new"] = new
        root.signed.version += 1
        root.signed.expires = self._end("root")
        root.signatures.clear()
        for signer in signers.values():
            if signer.public_key.keyid in before | set(root.signed.roles["root"].keyids):
                root.sign(signer, append=True)
        root.to_file(str(self.metadata / f"{root.signed.version}.root.json"), _PRETTY)
        targets = Metadata[Targets].from_file(self._newest("targets")).signed
        if role == "targets":
            targets.version += 1
            targets.expires = self._end("targets")
            self._write(Metadata(targets), f"{targets.version}.targets.json", "targets")
        if role in ("targets", "snapshot", "timestamp"):
            self._snapshot(targets.version)

    def ends(self) -> dict[str, datetime]:
        """When each role's newest list expires (UTC); the repository is refused as frozen after the first of them."""
        found = {role: Path(self._newest(role)) for role in ("root", "targets", "snapshot")}
        found["timestamp"] = self.metadata / "timestamp.json"
        return {role: Metadata.from_file(str(path)).signed.expires for role, path in found.items()}

    def _published(self, platform: str) -> str:
        """The last release for the platform; empty when there was none."""
        known = Metadata[Targets].from_file(self._newest("targets")).signed.targets.get(f"{platform}/latest.json")
        if known is None:
            return ""
        latest = self.targets / platform / f"{known.hashes['sha256']}.latest.json"
        return str(json.loads(latest.read_bytes())["version"])

    def _snapshot(self, targets: int) -> None:
        snapshot = Metadata[Snapshot].from_file(self._newest("snapshot")).signed
        snapshot.version += 1
        snapshot.expires = self._end("snapshot")
        snapshot.meta["targets.json"] = MetaFile(targets)
        self._write(Metadata(snapshot), f"{snapshot.version}.snapshot.json", "snapshot")
        timestamp = Metadata[Timestamp].from_file(str(self.metadata / "timestamp.json")).signed
        timestamp.version += 1
        timestamp.expires = self._end("timestamp")
        timestamp.snapshot_meta = MetaFile(snapshot.version)
        self._write(Metadata(timestamp), "timestamp.json", "timestamp")

    def _newest(self, role: str) -> str:
        return str(max(self.metadata.glob(f"*.{role}.json"), key=lambda path: int(path.name.split(".")[0])))

    def _write(
        self, made: Metadata[Root] | Metadata[Targets] | Metadata[Snapshot] | Metadata[Timestamp], name: str, *keys: str
    ) -> None:
        for key in keys:
            made.sign(self._key(key), append=True)
        made.to_file(str(self.metadata / name), _PRETTY)

    def _end(self, role: str) -> datetime:
        return self._now + LIVES[role]

    def _new_key(self, name: str) -> CryptoSigner:
        signer = CryptoSigner.generate_ed25519()
        path = self._keys / f"{name}.pem"
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(signer.private_bytes)
        return signer

    def _key(self, name: str) -> CryptoSigner:
        path = self._keys / f"{name}.pem"
        if not path.exists():
            raise FileNotFoundError(f"The key {path} is not here. Bring the medium that holds it.")
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("init", "publish", "renew", "rotate", "check"))
    parser.add_argument("repository", type=Path)
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--platform", choices=PLATFORMS)
    parser.add_argument("--version")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--notes", type=Path, help="what is new, as plain text in UTF-8")
    parser.add_argument("--role", choices=(*ROOT_KEYS, "targets", "snapshot", "timestamp"))
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    if options.keys is None and options.what != "check":
        parser.error("--keys says where the keys are")
    repository = Repository(options.repository, options.keys or options.repository, now=now)
    try:
        if options.what == "init":
            repository.init()
        elif options.what == "renew":
            repository.renew()
        elif options.what == "rotate":
            repository.rotate(options.role)
        elif options.what == "check":
            for role, end in repository.ends().items():
                left = end - now
                print(f"{role}: expires {end:%Y-%m-%d %H:%M} UTC, {'EXPIRED' if left < timedelta(0) else f'in {left.days} days'}")
            return 0 if min(repository.ends().values()) > now else 1
        elif not (options.platform and options.version and options.file):
            parser.error("publish needs --platform, --version and --file")
        else:
            notes = options.notes.read_text(encoding="utf-8") if options.notes else ""
            repository.publish(options.platform, options.version, options.file, notes)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
