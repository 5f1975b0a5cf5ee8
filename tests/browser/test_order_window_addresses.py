"""Which addresses the order window visits and what its pages may load: tables of expected verdicts."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.browser.addresses import Rules, Verdict, number_address, place_of

ALLOW, ASK, REFUSE = Verdict.ALLOW, Verdict.ASK, Verdict.REFUSE

RULES = Rules(("infotrack.com.au",), never_ports=(28761, 28762))

NAVIGATIONS = [
    ("https://infotrack.com.au/", ALLOW),
    ("https://search.infotrack.com.au/Nsw/Search?x=1#y", ALLOW),
    ("https://stageintegrated.search.infotrack.com.au", ALLOW),
    ("HTTPS://SEARCH.INFOTRACK.COM.AU/", ALLOW),
    ("https://search.infotrack.com.au:443/", ALLOW),
    ("http://search.infotrack.com.au/", REFUSE),
    ("https://search.infotrack.com.au:8443/", REFUSE),
    ("https://search.infotrack.com.au:0/", REFUSE),
    ("https://search.infotrack.com.au:99999/", REFUSE),
    ("https://search.infotrack.com.au./", REFUSE),
    ("https://infotrack.com.au@evil.example/", REFUSE),
    ("https://infotrack.com.au%40evil.example/", REFUSE),
    ("https://user:secret@search.infotrack.com.au/", REFUSE),
    ("https://evil.example\\@infotrack.com.au/", REFUSE),
    ("https://evil.example/\\infotrack.com.au", REFUSE),
    ("https://infotrack.com.au.evil.example/", ASK),
    ("https://notinfotrack.com.au/", ASK),
    ("https://evil.example/https://infotrack.com.au/", ASK),
    ("https://evil.example/?infotrack.com.au", ASK),
    ("https://evil.example#infotrack.com.au", ASK),
    ("https://infotrack.com/", ASK),
    ("https://com.au/", ASK),
    ("https://inf\u043etrack.com.au/", REFUSE),
    ("https://xn--inftrack-qbh.com.au/", REFUSE),
    ("https://infotrack.com.au\u3002evil.example/", REFUSE),
    ("https://infotrack\u200b.com.au/", REFUSE),
    ("https://info\ttrack.com.au/", REFUSE),
    ("https://\nsearch.infotrack.com.au/", REFUSE),
    ("http://www.example.com/", ASK),
    ("data:text/html,<h1>infotrack.com.au</h1>", REFUSE),
    ("blob:https://search.infotrack.com.au/0d1f", REFUSE),
    ("javascript:alert(1)", REFUSE),
    ("javascript://infotrack.com.au/%0aalert(1)", REFUSE),
    ("file:///etc/passwd", REFUSE),
    ("file://search.infotrack.com.au/share/x", REFUSE),
    ("view-source:https://search.infotrack.com.au/", REFUSE),
    ("chrome://settings", REFUSE),
    ("chrome-devtools://devtools/bundled/inspector.html", REFUSE),
    ("devtools://devtools/bundled/inspector.html", REFUSE),
    ("about:config", REFUSE),
    ("qrc:/x.html", REFUSE),
    ("ftp://infotrack.com.au/", REFUSE),
    ("ms-msdt:/id", REFUSE),
    ("search-ms:query=x", REFUSE),
    ("intent://infotrack.com.au#Intent;scheme=https;end", REFUSE),
    ("wss://search.infotrack.com.au/", REFUSE),
    ("", REFUSE),
    ("https://", REFUSE),
    ("//infotrack.com.au/", REFUSE),
    ("https://127.0.0.1/", REFUSE),
    ("http://127.0.0.1:28761/callback", REFUSE),
    ("http://localhost:28762/callback", REFUSE),
    ("https://2130706433/", REFUSE),
    ("https://0x7f.1/", REFUSE),
    ("https://[::ffff:127.0.0.1]/", REFUSE),
    ("https://192.168.1.1/", REFUSE),
    ("https://intranet/", REFUSE),
    ("https://printer.local/", REFUSE),
    ("https://8.8.8.8/", REFUSE),
    ("https://login.xero.com/identity/connect/authorize", ASK),
    ("https://login.microsoftonline.com/x", ASK),
]


@pytest.mark.parametrize(("url", "verdict"), NAVIGATIONS, ids=[ascii(url)[1:60] for url, _verdict in NAVIGATIONS])
def test_a_page_goes_where_infotrack_is_and_nowhere_else(url: str, verdict: Verdict) -> None:
    """G2: user-info tricks, look-alikes, ports, other schemes."""
    assert RULES.navigation(url).verdict is verdict


@pytest.mark.parametrize("host", ["login.xero.com", "identity.xero.com", "LOGIN.xero.com", "go.xero.com"])
def test_xero_is_never_signed_in_to_in_here_even_where_the_settings_name_it(host: str) -> None:
    """A1: refused in the main frame and in every other."""
    rules = Rules(("infotrack.com.au", "xero.com", "login.xero.com"))
    assert rules.navigation(f"https://{host}/identity").verdict is not ALLOW
    assert rules.resource(f"https://{host}/identity").verdict is REFUSE
    assert rules.navigation(f"https://{host}/identity").kind == "sign-in"


def test_a_configured_sign_in_address_is_refused_on_an_allowed_host() -> None:
    """A1: a stand-in for the practice system beside InfoTrack's."""
    rules = Rules(("127.0.0.1",), sign_in_addresses=("http://127.0.0.1:9001/identity/connect/authorize",))
    assert rules.navigation("http://127.0.0.1:9001/identity/connect/authorize?state=1").verdict is not ALLOW
    assert rules.navigation("http://127.0.0.1:9002/").verdict is ALLOW


def test_http_is_for_named_loopback_hosts_only() -> None:
    """G2, G3: contracts, section 1."""
    rules = Rules(("localhost", "192.168.7.7", "orders.internal"), never_ports=(28761,))
    assert rules.navigation("http://localhost:5000/").verdict is ALLOW
    assert rules.navigation("http://search.localhost:5000/").verdict is ALLOW
    assert rules.navigation("http://127.0.0.1:5000/").verdict is REFUSE
    assert rules.navigation("http://localhost:28761/").verdict is REFUSE
    assert rules.navigation("http://192.168.7.7/").verdict is REFUSE
    assert rules.navigation("https://192.168.7.7/").verdict is ALLOW
    assert rules.navigation("https://orders.internal/").verdict is ALLOW
    assert rules.navigation("http://orders.internal/").verdict is REFUSE


def test_a_number_has_no_sub_domains() -> None:
    assert Rules(("127.0.0.1",)).navigation("http://evil.127.0.0.1/").verdict is REFUSE


def test_a_port_counts_when_the_settings_or_the_link_name_it() -> None:
    named = Rules(("infotrack.com.au:8443", "[::1]:700"))
    assert named.navigation("https://search.infotrack.com.au:8443/").verdict is ALLOW
    assert named.navigation("http://[::1]:700/").verdict is ALLOW
    assert named.navigation("http://[::1]:701/").verdict is REFUSE
    linked = Rules(("infotrack.com.au",), link="https://stage.infotrack.com.au:8443/land?t=1")
    assert linked.navigation("https://stage.infotrack.com.au:8443/order").verdict is ALLOW
    assert linked.navigation("https://other.infotrack.com.au:8443/order").verdict is REFUSE
    assert Rules(("infotrack.com.au",), link="https://evil.example:8443/").navigation("https://evil.example:8443/").verdict is ASK


RESOURCES = [
    ("https://search.infotrack.com.au/app.js", ALLOW),
    ("https://fonts.example.com/x.woff2", ALLOW),
    ("wss://live.infotrack.com.au/", ALLOW),
    ("data:image/png;base64,AA", ALLOW),
    ("blob:https://search.infotrack.com.au/1", ALLOW),
    ("about:blank", ALLOW),
    ("about:srcdoc", ALLOW),
    ("https://93.184.216.34/x", ALLOW),
    ("https://[2606:2800:220:1::1]/x", ALLOW),
    ("http://fonts.example.com/x.woff2", REFUSE),
    ("ws://fonts.example.com/", REFUSE),
    ("file:///etc/hosts", REFUSE),
    ("filesystem:https://search.infotrack.com.au/temporary/x", REFUSE),
    ("ftp://example.com/x", REFUSE),
    ("chrome://resources/x.js", REFUSE),
    ("qrc:///qtwebchannel/qwebchannel.js", REFUSE),
    ("http://127.0.0.1:28761/callback?code=1", REFUSE),
    ("https://127.0.0.1/x", REFUSE),
    ("https://127.1/x", REFUSE),
    ("https://2130706433/x", REFUSE),
    ("https://0x7f000001/x", REFUSE),
    ("https://0177.0.0.1/x", REFUSE),
    ("https://0/x", REFUSE),
    ("https://localhost/x", REFUSE),
    ("https://a.localhost/x", REFUSE),
    ("https://10.0.0.1/x", REFUSE),
    ("https://172.16.5.4/x", REFUSE),
    ("https://192.168.0.1/x", REFUSE),
    ("https://169.254.169.254/latest/meta-data", REFUSE),
    ("https://100.64.0.1/x", REFUSE),
    ("https://224.0.0.1/x", REFUSE),
    ("https://255.255.255.255/x", REFUSE),
    ("https://[::1]/x", REFUSE),
    ("https://[::]/x", REFUSE),
    ("https://[::ffff:10.0.0.1]/x", REFUSE),
    ("https://[::ffff:a00:1]/x", REFUSE),
    ("https://[64:ff9b::a00:1]/x", REFUSE),
    ("https://[2002:a00:1::]/x", REFUSE),
    ("https://[::10.0.0.1]/x", REFUSE),
    ("https://[fe80::1]/x", REFUSE),
    ("https://[fd00::1]/x", REFUSE),
    ("https://[fec0::1]/x", REFUSE),
    ("https://[ff02::1]/x", REFUSE),
    ("https://nas.local/x", REFUSE),
    ("https://wiki.corp/x", REFUSE),
    ("https://router.home.arpa/x", REFUSE),
    ("https://fileserver/x", REFUSE),
    ("https://fileserver./x", REFUSE),
    ("https://identity.xero.com/connect/token", REFUSE),
]


@pytest.mark.parametrize(("url", "verdict"), RESOURCES, ids=[url[:60] for url, _verdict in RESOURCES])
def test_a_page_loads_nothing_from_this_pc_or_the_office(url: str, verdict: Verdict) -> None:
    """G3: numbers in every spelling, office names, open lines."""
    assert RULES.resource(url).verdict is verdict


def test_our_listener_is_never_reached_even_where_loopback_is_named() -> None:
    """G3: the sign-in listener's ports."""
    rules = Rules(("127.0.0.1", "localhost"), never_ports=(28761,))
    assert rules.resource("http://127.0.0.1:5000/x").verdict is ALLOW
    assert rules.resource("http://127.0.0.1:28761/callback").verdict is REFUSE
    assert rules.resource("ws://localhost:28761/").verdict is REFUSE


@given(st.ip_addresses(v=4))
def test_every_spelling_of_a_number_is_the_same_place(address: ipaddress.IPv4Address) -> None:
    """G3: decimal, hexadecimal, octal and shortened forms."""
    number = int(address)
    a, b, c, d = address.packed
    for spelling in (str(number), hex(number), f"0{a:o}.{b}.{c}.{d}", f"{a}.{b}.{(c << 8) | d}", f"{a}.{(b << 16) | (c << 8) | d}"):
        assert number_address(spelling) == address


@given(st.text(max_size=60))
def test_no_text_makes_the_rules_stumble_or_allows_a_foreign_place(text: str) -> None:
    """G2: whatever is allowed lies on an allowed host by our own reading of it."""
    for url in (text, "https://" + text, "https://infotrack.com.au" + text):
        RULES.resource(url)
        if RULES.navigation(url).verdict is ALLOW:
            place = place_of(url)
            assert place is not None
            assert place.host == "infotrack.com.au" or place.host.endswith(".infotrack.com.au")
            assert (place.scheme, place.port) == ("https", 443)
