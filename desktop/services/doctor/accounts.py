"""The secret store, the sign-ins, what they allow, and whether the firm's cost codes are there. Opens no ledger."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from desktop.places import Places
from desktop.services.desk import ConnectionState
from desktop.services.doctor.check import Check, Verdict
from desktop.services.errors import AccessMissing, NotNow, ServiceError, SignedOut
from desktop.services.http import Http, Limits
from desktop.services.identity.model import ConnectionRecord, SignInFailed
from desktop.services.identity.renewal import is_renewal_near, renewal
from desktop.services.identity.vendors import client_id_of
from desktop.services.identity.wallet import DATABASE, Identity, utc_now
from desktop.services.infotrack.credentials import Credentials
from desktop.services.infotrack.ordering import LoginVerdict, Ordering
from desktop.services.infotrack.trusted import Trusted
from desktop.services.practice.model import Finding
from desktop.services.practice.practice_system import PracticeSystem
from desktop.services.practice_links import PracticeLinks
from desktop.services.practice_systems import title_of
from desktop.settings import SYSTEMS, Settings, SettingsError, require_client

_LIMITS = Limits(connect=4, read=8, total=12)
_SIGN_IN = "Sign in: press the tray icon, or iconnect connect."


def systems_in_use(settings: Settings) -> tuple[str, ...]:
    """The firm's own, and those that are set up."""
    set_up = (system for system in SYSTEMS if client_id_of(system, settings))
    return tuple(dict.fromkeys((settings.practice.system, *set_up)))


def set_up(settings: Settings, file: Path) -> Iterator[Check]:
    """What signing in needs from the platform file."""
    try:
        require_client(settings, settings.practice.system, file)
    except SettingsError as error:
        yield Check(
            "platform file's values",
            Verdict.FAIL,
            str(error),
            "Enter it in the platform file; the vendor's developer portal shows it.",
        )


class Accounts:
    """One profile's, for the time of a check. `close` when done."""

    def __init__(self, settings: Settings, where: Places) -> None:
        """Raises NotNow when what is kept of the sign-ins can't be opened."""
        self._settings = settings
        self._http = Http(limits=_LIMITS, user_agent=f"iConnect-Desktop/{version('iconnect-desktop')} doctor")
        self._identity = Identity(where.profile, lambda: settings, self._http, keyring_patience=8.0)
        self._links = PracticeLinks(
            lambda: settings,
            self._http,
            self._identity,
            remember=lambda _name, _value: None,
            recall=lambda _name: None,
            changed=lambda: None,
        )
        self._credentials = Credentials(where.profile / "infotrack.json", self._identity.secrets)

    def close(self) -> None:
        self._links.close()
        self._http.close()

    def keyring(self) -> Iterator[Check]:
        """A trial entry is written, read and removed."""
        try:
            name = self._trial()
        except ServiceError as error:
            yield Check("keyring", Verdict.FAIL, str(error), "Until then a sign-in lasts only as long as the program runs.")
            return
        if any(part.lower() in name.lower() for part in _FAMILIAR):
            yield Check("keyring", Verdict.OK, name)
        else:
            yield Check(
                "keyring", Verdict.NOTE, f"{name} is not one that iConnect knows.", "Make sure that it encrypts what it keeps."
            )

    def _trial(self) -> str:
        secrets, trial = self._identity.secrets, "doctor's trial"
        secrets.set(trial, "trial")
        try:
            if secrets.get(trial) != "trial":
                raise NotNow("The keyring gave back something else than was put in.")
        finally:
            secrets.delete(trial)
        return self._identity.keyring_name()

    def connections(self) -> Iterator[Check]:
        records = {record.system: record for record in self._identity.records()}
        for system in dict.fromkeys((self._settings.practice.system, *records, *systems_in_use(self._settings))):
            record = records.get(system)
            if record is not None and not record.problem:
                yield from self._connected(record)
            elif record is None and system != self._settings.practice.system:
                # It is set up for whoever wants it; that nobody does is no fault.
                yield Check(title_of(system), Verdict.NOTE, "Set up, not signed in.")
            else:
                problem, cure = (record.problem, record.cure) if record else ("", "")
                yield Check(title_of(system), Verdict.FAIL, problem or "Not signed in.", cure or _SIGN_IN)

    def _connected(self, record: ConnectionRecord) -> Iterator[Check]:
        from zoneinfo import ZoneInfo

        title = title_of(record.system)
        yield Check(title, Verdict.OK, f"Signed in to {record.tenant_name}.")
        if is_renewal_near(record, utc_now()):
            told = renewal(record, ZoneInfo(self._settings.infotrack.timezone))
            yield Check(f"{title} sign-in", Verdict.NOTE, told, "Connect again, in Connections.")
        practice = self._links.of(record.system)
        if practice is not None:
            yield from self._rights(practice, record.system)
            yield from self._cost_codes(practice)

    def _rights(self, practice: PracticeSystem, system: str) -> Iterator[Check]:
        try:
            findings = practice.check_access()
        except AccessMissing as error:
            self._identity.mark_problem(system, str(error), error.cure)
            yield Check("rights", Verdict.FAIL, str(error), error.cure)
            return
        except (SignedOut, SignInFailed) as error:
            yield Check("rights", Verdict.FAIL, str(error), _SIGN_IN)
            return
        except ServiceError as error:
            yield Check("rights", Verdict.FAIL, str(error), "Try again when the vendor can be reached.")
            return
        verdicts = {Finding.OK: Verdict.OK, Finding.MISSING: Verdict.FAIL, Finding.UNKNOWN: Verdict.NOTE}
        missing = next((finding for finding in findings if finding.finding is Finding.MISSING), None)
        if missing is not None:
            self._identity.mark_problem(system, missing.message, missing.cure)
        for finding in findings:
            yield Check(f"right: {finding.right}", verdicts[finding.finding], finding.message or "It is there.", finding.cure)

    def _cost_codes(self, practice: PracticeSystem) -> Iterator[Check]:
        costs = self._settings.costs
        wanted = {"costs.code_taxed": costs.code_taxed, "costs.code_untaxed": costs.code_untaxed}
        for key, code in wanted.items():
            if not code:
                yield Check(key, Verdict.NOTE, "No cost code is set; costs are posted without one.", "Choose one in Settings.")
        if not any(wanted.values()):
            return
        try:
            known = {entry.code for entry in practice.cost_codes()}
        except ServiceError as error:
            yield Check("cost codes", Verdict.NOTE, str(error), "The codes could not be compared with the firm's list.")
            return
        for key, code in wanted.items():
            if code and code not in known:
                yield Check(key, Verdict.FAIL, f"{code} is not in the firm's list of costs.", "Choose one in Settings.")
            elif code:
                yield Check(key, Verdict.OK, code)

    def infotrack(self) -> Iterator[Check]:
        """Tries the login with a mapping of dummy references, which orders nothing; one that was refused is not tried again."""
        cure = "Sign in: iconnect infotrack sign-in --user U"
        try:
            state = self._credentials.state()
            if state.state is not ConnectionState.CONNECTED:
                yield Check("InfoTrack login", Verdict.FAIL, state.problem or "Not signed in.", cure)
                return
            login = self._credentials.login()
        except SignedOut as error:
            yield Check("InfoTrack login", Verdict.FAIL, str(error), cure)
            return
        except ServiceError as error:
            yield Check("InfoTrack login", Verdict.FAIL, str(error), "Mend the keyring or the profile's folder first.")
            return
        trusted = Trusted(self._settings.infotrack.hosts, self._settings.infotrack.api_url)
        ordering = Ordering(self._http, self._credentials, trusted, retailer_tag=self._settings.infotrack.retailer_tag)
        told = ordering.check_login(login.user, login.password)
        if told.verdict is LoginVerdict.ACCEPTED:
            yield Check("InfoTrack login", Verdict.OK, "It was accepted.")
        elif told.verdict is LoginVerdict.WRONG:
            self._credentials.rejected(login)
            yield Check("InfoTrack login", Verdict.FAIL, told.message, cure)
        else:
            yield Check("InfoTrack login", Verdict.NOTE, told.message, "Try again when InfoTrack can be reached.")


_FAMILIAR = ("SecretService", "WinVault", "macOS", "kwallet", "libsecret")


def accounts(settings: Settings, where: Places) -> Iterator[Check]:
    """All of them; a part that fails costs no other."""
    try:
        found = Accounts(settings, where)
    except ServiceError as error:
        yield Check("sign-ins", Verdict.FAIL, str(error), "Check the rights and the room of the profile's folder.")
        return
    try:
        for part in (found.keyring, found.connections, found.infotrack):
            try:
                yield from part()
            except ServiceError as error:
                cure = f"If it stays: quit iConnect, move {DATABASE} away, sign in again."
                yield Check("sign-ins", Verdict.FAIL, str(error), cure)
            except OSError as error:
                why = f"What is kept of the sign-ins can't be used: the profile's folder fails ({error.strerror})."
                yield Check("sign-ins", Verdict.FAIL, why, "Check the rights and the room of the profile's folder.")
    finally:
        found.close()
