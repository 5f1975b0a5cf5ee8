"""The platform file and the person's own settings: every error names file, key and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.places import Places, machine_wide_folder, places
from desktop.settings import (
    Own,
    SettingsError,
    find_platform_file,
    overlay,
    read_own,
    read_platform,
    require_client,
    write_own,
)

LEAST = '[practice]\nsystem = "xero-practice-manager"\n'


def platform(folder: Path, text: str) -> Path:
    path = folder / "platform.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_least_file_gives_the_real_addresses_and_the_contract_defaults(tmp_path: Path) -> None:
    settings = read_platform(platform(tmp_path, LEAST))
    assert settings.xero.api_url == "https://api.xero.com/practicemanager/3.1/"
    assert settings.xero.redirect_ports == (28761, 28762, 28763, 28764, 28765)
    assert settings.xero.scopes[-1] == "practicemanager.staff.read"
    assert settings.infotrack.api_url == "https://api.infotrack.com.au/v1/"
    assert settings.infotrack.hosts == ("infotrack.com.au",)
    assert (settings.results.poll_seconds, settings.results.takeover_minutes) == (60, 30)
    assert (settings.delivery.quiet_seconds, settings.delivery.reread_seconds) == (180, 30)
    assert (settings.delivery.connect_timeout_seconds, settings.delivery.read_timeout_seconds) == (10, 60)
    assert settings.costs.file_name == "{service} {reference} {order_id}"


@pytest.mark.parametrize(
    ("text", "key", "cure"),
    [
        ("", "practice.system", "one of"),
        ('[practice]\nsystem = "xero"\n', "practice.system", '"workflowmax"'),
        (LEAST + '[xero]\nclientid = "x"\n', "xero.clientid", "client_id"),
        (LEAST + '[zero]\nclient_id = "x"\n', "zero", "xero"),
        (LEAST + '[xero]\nredirect_ports = ["28761"]\n', "xero.redirect_ports[0]", "a whole number"),
        (LEAST + "[xero]\nredirect_ports = [0]\n", "xero.redirect_ports", "65535"),
        (LEAST + "[xero]\nredirect_ports = []\n", "xero.redirect_ports", "at least one"),
        (LEAST + '[xero]\napi_url = "http://api.example.test/"\n', "xero.api_url", "https://"),
        (LEAST + '[xero]\napi_url = "http://127.evil.test/"\n', "xero.api_url", "https://"),
        (LEAST + '[xero]\ntoken_url = "identity.example.test"\n', "xero.token_url", "https://"),
        (LEAST + "[delivery]\nquiet_seconds = 0.5\n", "delivery.quiet_seconds", "1 or more"),
        (LEAST + '[delivery]\nquiet_seconds = "180"\n', "delivery.quiet_seconds", "a number"),
        (LEAST + '[costs]\nbillable = "yes"\n', "costs.billable", "true or false"),
        (LEAST + '[costs]\namounts = "gross"\n', "costs.amounts", '"inc_gst"'),
        (LEAST + '[costs]\ndescription = "{client}"\n', "costs.description", "{service}"),
        (LEAST + '[costs]\nfile_name = "{service"\n', "costs.file_name", "open"),
        (LEAST + "[costs]\nmarkup_percent = nan\n", "costs.markup_percent", "a number"),
        (LEAST + '[infotrack]\ntimezone = "Sydney"\n', "infotrack.timezone", "Australia/Sydney"),
        (LEAST + '[infotrack]\nhosts = ["https://infotrack.com.au/"]\n', "infotrack.hosts", "host names"),
        (LEAST + '[infotrack]\nretailer_tag = "A|B"\n', "infotrack.retailer_tag", "letters"),
        ("practice = 3\n", "practice", "section"),
        (LEAST + "[results\n", "TOML", "line 3"),
    ],
)
def test_every_mistake_names_file_key_and_what_is_expected(tmp_path: Path, text: str, key: str, cure: str) -> None:
    path = platform(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_platform(path)
    message = str(caught.value)
    assert str(path) in message
    assert key in message
    assert cure in message


def test_plain_http_is_accepted_on_this_pc_alone(tmp_path: Path) -> None:
    settings = read_platform(platform(tmp_path, LEAST + '[xero]\napi_url = "http://127.0.0.1:9/practicemanager/3.1/"\n'))
    assert settings.xero.api_url.startswith("http://127.0.0.1:9/")


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "platform.toml"
    path.write_bytes(b"\xef\xbb\xbf" + LEAST.encode())
    assert read_platform(path).practice.system == "xero-practice-manager"


def test_a_relative_drop_folder_is_taken_from_where_the_file_lies(tmp_path: Path) -> None:
    settings = read_platform(platform(tmp_path, LEAST + '[results]\nfolder = "drop"\n'))
    assert settings.results.folder == str(tmp_path / "drop")


def test_the_order_in_which_a_platform_file_is_looked_for(tmp_path: Path) -> None:
    where = Places(tmp_path / "profile", explicit=True)
    named, told, own = (tmp_path / name for name in ("named.toml", "told.toml", "profile/platform.toml"))
    own.parent.mkdir()
    for path in (named, told, own):
        path.write_text(LEAST)
    assert find_platform_file(str(named), where, {"ICONNECT_PLATFORM": str(told)}) == named
    assert find_platform_file(None, where, {"ICONNECT_PLATFORM": str(told)}) == told
    assert find_platform_file(None, where, {}) == own


def test_a_named_file_that_is_not_there_is_an_error_and_nothing_else_is_tried(tmp_path: Path) -> None:
    where = Places(tmp_path, explicit=True)
    platform(tmp_path, LEAST)
    with pytest.raises(SettingsError, match="no such file"):
        find_platform_file(str(tmp_path / "missing.toml"), where, {})


def test_without_any_file_the_message_names_every_place(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        find_platform_file(None, Places(tmp_path, explicit=True), {"PROGRAMDATA": str(tmp_path / "none")})
    assert str(tmp_path / "platform.toml") in str(caught.value)


def test_the_profile_comes_from_the_option_then_the_environment() -> None:
    assert places("here", {"ICONNECT_PROFILE": "there"}).profile == Path("here").absolute()
    assert places(None, {"ICONNECT_PROFILE": "/there"}).profile == Path("/there").absolute()
    assert not places(None, {}).explicit


def test_the_machine_wide_folder_follows_the_operating_system() -> None:
    assert machine_wide_folder({"PROGRAMDATA": "P"}, platform="win32") == Path("P") / "iConnect"
    assert machine_wide_folder({}, platform="linux") == Path("/etc/iconnect")


def test_own_choices_survive_and_lie_over_the_platform(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_own(path, Own(code_taxed="DISB-GST", review="always", results_folder="elsewhere"))
    own = read_own(path)
    settings = overlay(read_platform(platform(tmp_path, LEAST + '[costs]\ncode_untaxed = "FREE"\n')), own)
    assert (settings.costs.code_taxed, settings.costs.code_untaxed, settings.costs.review) == ("DISB-GST", "FREE", "always")
    assert settings.results.folder == "elsewhere"


def test_a_bad_own_file_says_which_and_what(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"review": "sometimes"}')
    with pytest.raises(SettingsError, match=r"settings\.json"):
        read_own(path)


def test_a_bad_choice_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    write_own(path, Own(description="{service}"))
    with pytest.raises(SettingsError, match=r"costs\.description"):
        write_own(path, Own(description="{client}"))
    assert read_own(path).description == "{service}"


def test_signing_in_needs_a_client_id_and_says_where(tmp_path: Path) -> None:
    path = platform(tmp_path, LEAST)
    with pytest.raises(SettingsError, match=r"platform\.toml: xero\.client_id is missing"):
        require_client(read_platform(path), "xero-practice-manager", path)
