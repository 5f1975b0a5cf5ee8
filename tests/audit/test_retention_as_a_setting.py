"""The trail's retention as IT and the person set it: refused below a year, locked unless IT opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.places import Places, places
from desktop.profile_desk import ProfileDesk
from desktop.settings import Own, SettingsError, overlay, read_own, read_platform, write_own

LEAST = '[practice]\nsystem = "xero-practice-manager"\n'


def platform(folder: Path, text: str) -> Path:
    path = folder / "platform.toml"
    path.write_text(LEAST + text, encoding="utf-8")
    return path


def test_for_ever_is_what_holds_until_somebody_says_otherwise(tmp_path: Path) -> None:
    """J5: the default erases nothing."""
    audit = read_platform(platform(tmp_path, "")).audit
    assert audit.months is None
    assert not audit.person_may_choose
    assert read_platform(platform(tmp_path, '[audit]\nkeep_months = "forever"\n')).audit.months is None
    assert read_platform(platform(tmp_path, "[audit]\nkeep_months = 84\n")).audit.months == 84
    assert read_platform(platform(tmp_path, "[audit]\nkeep_months = 12\n")).audit.months == 12


@pytest.mark.parametrize("wrong", ["11", "0", "-12", "1201", '"12"', "12.5", "true", '"never"', "[12]"])
def test_less_than_a_year_and_what_is_no_number_of_months_is_refused_by_name(tmp_path: Path, wrong: str) -> None:
    """J5: file, key and cure."""
    file = platform(tmp_path, f"[audit]\nkeep_months = {wrong}\n")
    with pytest.raises(SettingsError) as told:
        read_platform(file)
    for words in (str(file), "audit.keep_months", "12 to 1200 months", '"forever"'):
        assert words in str(told.value)


def test_the_refusal_says_why(tmp_path: Path) -> None:
    """J5."""
    with pytest.raises(SettingsError, match=r"found 11\. An audit trail is kept for a year at the least\."):
        read_platform(platform(tmp_path, "[audit]\nkeep_months = 11\n"))


@pytest.mark.parametrize("wrong", ["11", '"12"', "1201", "12.5"])
def test_a_persons_own_is_refused_alike(tmp_path: Path, wrong: str) -> None:
    """J5: also where it would not count."""
    file = tmp_path / "settings.json"
    file.write_text(f'{{"audit_keep_months": {wrong}}}')
    with pytest.raises(SettingsError) as told:
        read_own(file)
    for words in (str(file), "audit_keep_months", "12 to 1200 months"):
        assert words in str(told.value)
    with pytest.raises(SettingsError, match="audit_keep_months"):
        write_own(file, Own(audit_keep_months=11))


@pytest.mark.parametrize(("own", "months"), [(24, 24), ("forever", None), (None, 84)])
def test_a_persons_own_counts_where_it_lets_them_choose_and_nowhere_else(
    tmp_path: Path, own: int | None, months: int | None
) -> None:
    """J5: locked unless the platform file opens it."""
    write_own(tmp_path / "settings.json", Own(audit_keep_months=own))
    kept = read_own(tmp_path / "settings.json")
    firm = read_platform(platform(tmp_path, "[audit]\nkeep_months = 84\n"))
    assert overlay(firm, kept).audit.months == 84
    firm = read_platform(platform(tmp_path, "[audit]\nkeep_months = 84\nperson_may_choose = true\n"))
    assert overlay(firm, kept).audit.months == months


def test_saving_in_the_settings_window_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """J5: a window that does not show it does not drop it either."""
    monkeypatch.setattr("desktop.autostart.starts_at_sign_in", lambda: False)
    where: Places = places(str(tmp_path / "profile"), {})
    where.profile.mkdir()
    write_own(where.own_settings, Own(audit_keep_months=24))
    desk = ProfileDesk(str(platform(tmp_path, "[audit]\nperson_may_choose = true\n")), where)
    desk.save(desk.load().values)
    assert read_own(where.own_settings).audit_keep_months == 24
