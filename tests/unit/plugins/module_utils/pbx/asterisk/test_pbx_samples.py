# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer captured from a real Asterisk 22 goes through our client, over a real socket, and gives the right fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, PermissionMissing
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient, AmiRefused, parse_packet
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk, extension_from, parse_uri, registration_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import compare, newest
from tests.fakes.ami_replay import Replay

DATA = Path(__file__).parents[4] / "data/ami"
CONTACTS = sorted(path.stem.removeprefix("ami-contacts-") for path in DATA.glob("ami-contacts-*.txt"))
SECRETS = tuple(f"pw{number}" for number in range(101, 109))


def access(server):
    return Access("127.0.0.1", server.port, "ansible", "secret", timeout=5)


def both_lists(name):
    """What the two contact actions of one capture give, as Registrations (without asking for options)."""
    with Replay(DATA / f"ami-contacts-{name}.txt") as server:
        client = AmiClient(access(server))
        preferred = client.listing("PJSIPShowRegistrationInboundContactStatuses")
        other = client.listing("PJSIPShowContacts") if name != "stale-contact" else None
        client.close()
    return [registration_from(event) for event in preferred], other and [registration_from(event) for event in other]


@pytest.mark.parametrize("name", CONTACTS)
def test_both_contact_actions_say_the_same(name):
    preferred, other = both_lists(name)
    assert preferred and all(preferred)
    assert other is None or preferred == other


def ports(name):
    return [(one.extension, one.claimed_port, one.seen_port, one.seen_is_source, one.status) for one in both_lists(name)[0]]


EXPECTED = {
    "nat-on-even-ports": [("101", 5060, 5060, True), ("102", 5062, 5062, True), ("103", 5064, 5064, True), ("104", 5066, 5066, True)],
    "nat-off-even-ports": [("101", 5060, 5060, False), ("102", 5062, 5062, False), ("103", 5064, 5064, False), ("104", 5066, 5066, False)],
    "nat-off-sip-alg": [("101", 5060, 5060, False), ("102", 5062, 5062, False), ("103", 5064, 5064, False), ("104", 5066, 5066, False)],
    "nat-on-all-5060-overload-router": [(extension, 5060, 5060, True) for extension in ("101", "102", "103", "104")],
    "nat-on-router-translates": [("101", 5060, 17807, True), ("102", 5062, 61994, True), ("103", 5064, 10071, True), ("104", 5066, 34975, True)],
    "nat-on-random-local-port": [("101", 44349, 44349, True), ("102", 54109, 54109, True), ("103", 39698, 39698, True), ("104", 46040, 46040, True)],
    "tcp": [("101", 5060, 44296, True), ("102", 5062, 33322, True), ("103", 5064, 47454, True), ("104", 5066, 35298, True)],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_claimed_and_seen(name):
    assert [row[:4] for row in ports(name)] == EXPECTED[name]
    assert {row[4] for row in ports(name)} == ({"unreachable"} if name == "nat-off-even-ports" else {"reachable"})


def test_all_5060_behind_an_ordinary_router():
    rows = ports("nat-on-all-5060")
    assert {row[1] for row in rows} == {5060} and len({row[2] for row in rows}) == 4


def test_addresses_and_transport():
    tcp = both_lists("tcp")[0][0]
    assert (tcp.transport, tcp.claimed_address, tcp.seen_address, tcp.expires) == ("tcp", "192.168.1.101", "203.0.113.1", 1795386651)
    alg = both_lists("nat-off-sip-alg")[0][0]
    assert (alg.transport, alg.claimed_address, alg.seen_address) == ("udp", "203.0.113.1", "203.0.113.1")
    assert tcp.user_agent == "baresip v1.1.0 (x86_64/linux)"


def test_stale_contact_the_newest_counts():
    found = both_lists("stale-contact")[0]
    assert [(one.extension, one.claimed_port, one.status) for one in found] == [
        ("101", 5062, "reachable"), ("102", 5064, "unreachable"), ("102", 5068, "reachable")]
    assert newest(found)["102"].claimed_port == 5068
    assert [one.shown for one in compare(found, {"102": 5068, "101": 5060})] == [True, False]


def test_registrations_and_contacts_with_qualify_off():
    for name, action in (("PJSIPShowRegistrationInboundContactStatuses",) * 2, ("PJSIPShowContacts",) * 2):
        with Replay(DATA / f"ami-{name}.txt") as server:
            client = AmiClient(access(server))
            found = [registration_from(event) for event in client.listing(action)]
            client.close()
        assert [(one.extension, one.claimed_port, one.status) for one in found] == [
            ("101", 5060, "nonqualified"), ("102", 5062, "nonqualified"), ("103", 5064, "nonqualified"), ("104", 5066, "nonqualified")]


def test_empty_pbx_and_the_extra_blank_line():
    with Replay(DATA / "ami-no-contacts.txt") as server:
        client = AmiClient(access(server))
        assert client.listing("PJSIPShowRegistrationInboundContactStatuses") == []
        with pytest.raises(AmiRefused) as refused:
            client.listing("PJSIPShowContacts")
        client.close()
    assert refused.value.message == "No Contacts found"


@pytest.mark.parametrize(("name", "nat"), [("", True), ("-nat-off", False)])
def test_effective_options_and_no_secret(name, nat):
    with Replay(DATA / f"ami-PJSIPShowEndpoint{name}.txt") as server, Asterisk(access(server)) as pbx:
        (found,) = pbx.extensions(["102"])
    assert (found.extension, found.rewrite_contact, found.force_rport, found.rtp_symmetric, found.direct_media) == ("102", nat, nat, nat, False)
    assert not any(secret in repr(found) for secret in SECRETS)


def test_missing_endpoint():
    with Replay(DATA / "ami-PJSIPShowEndpoint-missing.txt") as server, Asterisk(access(server)) as pbx:
        assert pbx.extensions(["999"]) == []


def test_endpoints():
    with Replay(DATA / "ami-PJSIPShowEndpoints.txt") as server, Asterisk(access(server)) as pbx:
        assert pbx.endpoints() == [str(number) for number in range(101, 109)]


def test_version():
    with Replay(DATA / "ami-CoreSettings.txt") as server, Asterisk(access(server)) as pbx:
        assert pbx.version().startswith("22.10.1")


def test_unsolicited_events_in_between():
    with Replay(DATA / "ami-login-events-on.txt") as server:
        client = AmiClient(access(server))
        assert client.call("Ping")["ping"] == "Pong"
        client.close()


def test_login_failed():
    with Replay(DATA / "ami-login-failed.txt") as server, pytest.raises(AuthFailed, match="refused the user ansible"):
        AmiClient(access(server))
    assert server.actions == ["Challenge", "Login"]


def test_permission_denied_names_the_class():
    with Replay(DATA / "ami-permission-denied.txt") as server:
        client = AmiClient(access(server))
        with pytest.raises(PermissionMissing, match="class system in manager.conf"):
            client.listing("PJSIPShowContacts")
        client.close()


@pytest.mark.parametrize("path", sorted(DATA.glob("ami-*.txt")), ids=lambda path: path.stem)
def test_every_captured_packet_is_understood_and_no_secret_gets_out(path):
    for raw in path.read_bytes().decode().split("\r\n\r\n"):
        packet = parse_packet(raw.split("\r\n"))
        assert not any(secret in f"{registration_from(packet)}{extension_from(packet)}" for secret in SECRETS)
        if "uri" in packet:
            assert parse_uri(packet["uri"]).port
