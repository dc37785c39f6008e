# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognising a Poly, and what its answers mean: lines, provisioning, anything at all."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, EvenportError, IdentityMismatch, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import keys as poly_keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import recognise as poly
from ansible_collections.evenport.sip.plugins.module_utils.phones.poly import status as poly_status
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import configure_phone, inspect_phone
from tests.fakes.brands import KINDS
from tests.fakes.poly import FakePoly
from tests.fakes.tls import self_signed
from tests.fakes.web import FakeWebServer, Reply
from tests.unit.plugins.module_utils.phones.contract_suite import PASSWORD, TWO_LINES, refuse, target_of

PORT = poly_keys.PORT
WANTED = {"keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5074}]}
ONE = {"lines": [{"line": 1, "local_port": 5074}]}


def made(kind="edge", **more):
    return FakePoly(kind, **{"password": PASSWORD, "accounts": TWO_LINES, **more})


def asked(fake, piece):
    return sum(piece in line for line in fake.log)


# ---------------------------------------------------------------------- who answers there


def pinned(fake, **more):
    return target_of(fake, fingerprint=fake.tls.fingerprint, **more)


def polycom_certificate(common_name, issuer="Polycom Equipment Policy CA"):
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    made_of = (x509.CertificateBuilder().subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
               .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])).public_key(key.public_key())
               .serial_number(1).not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1)))
    return made_of.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("kind", ["edge", "vvx"])
def test_the_mac_of_the_certificate_is_looked_at_before_the_password_goes(kind):
    with made(kind, tls=self_signed("482567A1B2C3")) as fake:
        assert configure_phone(pinned(fake), ONE)["changed"]
        writes, requests = fake.writes, fake.requests
        error = refuse(IdentityMismatch, lambda: configure_phone(pinned(fake, mac="00:04:f2:ff:ff:ff"), ONE))
        assert "00:04:F2:FF:FF:FF" in str(error)
        assert (fake.writes, fake.requests - requests) == (writes, 2) and fake.guard.wrong == 0


def test_the_mac_of_the_certificate_alone_proves_the_phone():
    with made(tls=self_signed("482567A1B2C3"), faults={"no_mac": True, "no_server": True}) as fake:
        assert inspect_phone(pinned(fake))["identity"]["mac"] == "482567a1b2c3"


def test_the_phones_own_word_on_its_mac_counts_more_than_the_certificate():
    with made(tls=self_signed("0004F2000001")) as fake:
        refuse(IdentityMismatch, lambda: configure_phone(pinned(fake, mac="00:04:f2:00:00:01"), ONE))
        assert fake.writes == 0


@pytest.mark.parametrize(("name", "expected"), [
    ("482567A1B2C3", ("482567a1b2c3", "CN=Polycom Equipment Policy CA")), ("482567a1b2c3", ("482567a1b2c3", "CN=Polycom Equipment Policy CA")),
    ("phone.example.net", ("", "")), ("482567A1B2", ("", ""))])
def test_certificates(name, expected):
    assert poly.certificate_of(polycom_certificate(name)) == expected


@settings(deadline=None)
@given(st.binary(max_size=200) | st.integers(0, 200).map(lambda cut: polycom_certificate("482567A1B2C3")[:cut]))
def test_a_certificate_of_any_bytes(der):
    assert poly.certificate_of(der) == ("", "")


class Stranger(FakeWebServer):
    """A web server of another make: ``page`` at /, ``other`` everywhere else."""

    def __init__(self, page, other, **more):
        super().__init__(**more)
        self.page, self.other = page, other
        self.passwords = 0

    def handle(self, request):
        self.passwords += "authorization" in request.headers
        return self.page if request.path == "/" else self.other


BASIC = [("WWW-Authenticate", 'Basic realm="IP Phone"')]
PAGES = {
    "nginx": (Reply(200, b"<title>nginx</title>"), Reply(404)),
    "htek": (Reply(401, headers=[*BASIC, ("Server", "HanLong")]), Reply(401, headers=[*BASIC, ("Server", "HanLong")])),
    "snom": (Reply(401, headers=[("WWW-Authenticate", 'Basic realm="snom"')]), Reply(401, headers=[("WWW-Authenticate", 'Basic realm="snom"')])),
    "other-rest": (Reply(401, headers=BASIC), Reply(401, headers=BASIC)),
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("brand", ["auto", "poly"])
@pytest.mark.parametrize("name", [None, "001565123456"])
def test_a_stranger_gets_no_password(page, brand, name):
    """Neither where a 401 is answered everywhere, nor for a certificate that another maker has put its MAC in."""
    with Stranger(*PAGES[page], tls=self_signed(name) if name else None) as fake:
        web = {"fingerprint": fake.tls.fingerprint} if name else {}
        fake.mac = ""
        assert recognised(target_of(fake, brand=brand, **web)) is None
        assert fake.passwords == 0


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("poly")])
def test_another_brand_that_the_inventory_calls_a_poly_is_refused_by_what_it_shows(kind):
    with KINDS[kind].make(password=PASSWORD) as fake:
        error = refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand="poly")))
        assert "its front page shows" in str(error) and "REST" not in str(error)
        assert (fake.login_attempts, fake.logins) == (0, 0)


def recognised(target):
    """What poly.recognise makes of a target, without the other brands."""
    with poly.WebSession(target.reach()) as web:
        return poly.recognise(target, web, poly.Front(web))


@pytest.mark.parametrize("kind", ["edge", "vvx", "trio"])
def test_a_poly_is_known_by_its_server_header_at_the_first_question(kind):
    with made(kind) as fake:
        driver = recognised(target_of(fake))
        assert (driver.identity.brand, driver.identity.generation, driver.identity.mac) == ("poly", "UCS", "")
        assert asked(fake, "GET / ") == 0 and fake.requests == (2 if kind == "trio" else 1)


def test_without_a_server_header_the_inventory_has_to_say_so():
    """[U] whether a CCX says who it is: with sip_phone_brand, and only its interface asking for a password, it is believed."""
    with made(faults={"no_server": True}) as fake:
        assert recognised(target_of(fake)) is None
        assert recognised(target_of(fake, brand="poly")).identity.brand == "poly"
        assert fake.guard.wrong == fake.guard.right == 0


@pytest.mark.parametrize("title", ["VVX D230", "OBi302 Configuration", "Poly Rove B2"])
def test_what_is_no_uc_software_is_refused(title):
    with Stranger(Reply(200, f"<title>{title}</title>".encode()), Reply(401, headers=BASIC)) as fake:
        fake.mac = ""
        error = refuse(Unsupported, lambda: inspect_phone(target_of(fake, brand="poly")))
        assert "without UC software" in str(error) and fake.passwords == 0


def test_a_d230_that_looks_like_the_others_is_refused_by_its_model():
    with made("vvx", model="VVX D230") as fake:
        refuse(Unsupported, lambda: configure_phone(target_of(fake), ONE))
        assert fake.writes == 0


def test_a_redirect_to_https_is_told():
    with Stranger(Reply(200), Reply(302, headers=[("Server", "Polycom SoundPoint IP Telephone HTTPd"), ("Location", "https://192.0.2.1/")])) as fake:
        fake.mac = ""
        assert "sip_phone_protocol: https" in str(refuse(BadAnswer, lambda: inspect_phone(target_of(fake, brand="poly"))))


# ---------------------------------------------------------------------- lines


def numbers(fake):
    return [(account["number"], account["active"], account["local_port"], account["user"]) for account in inspect_phone(target_of(fake))["accounts"]]


@pytest.mark.parametrize("kind", ["edge", "trio"])
@pytest.mark.parametrize("keys", [1, 2, 5])
def test_an_account_on_several_line_keys_is_one(kind, keys):
    with made(kind, faults={"line_keys": keys}) as fake:
        assert numbers(fake) == [(1, True, None, "101"), (2, True, None, "102")]


@pytest.mark.parametrize("kind", ["edge", "vvx", "trio"])
def test_the_line_from_the_factory_is_no_account(kind):
    with made(kind, accounts=[]) as fake:
        assert numbers(fake) == [(1, False, None, "")]
        assert configure_phone(target_of(fake), ONE)["changed"]


def test_an_account_that_is_not_registered_counts():
    with made(accounts=[{"user": "101", "active": False}]) as fake:
        assert numbers(fake) == [(1, True, None, "101")]


def test_the_port_of_a_line_is_the_servers():
    with made(accounts=[{"user": "101", "port": 5074}]) as fake:
        found = inspect_phone(target_of(fake))
        assert found["settings"]["lines"] == [{"line": 1, "local_port": 5074}] and found["accounts"][0]["local_port"] is None


def test_firmware_without_a_list_of_lines_or_network_information():
    with made(faults={"no_line_info": True, "no_network_info": True}) as fake:
        found = inspect_phone(target_of(fake))
        assert found["accounts"] == [] and found["provisioning"] == {}
        wanted = {"lines": [{"line": 1, "local_port": 5074}, {"line": 2, "local_port": 5076}]}
        assert configure_phone(target_of(fake), wanted)["unsupported"] == ["local_port of line 2"]


@pytest.mark.parametrize(("line", "user"), [
    ({"SIPAddress": "sip:101@pbx"}, "101"), ({"SIPAddress": "6000"}, "6000"), ({"UserID": "102@pbx"}, "102"), ({"SIPAddress": None}, ""), ({}, "")])
def test_users(line, user):
    listed = poly_keys.accounts_of({"data": [{"LineNumber": "1", **line}]}, "Trio 8800")
    assert [account.user for account in listed] == [user]


def test_one_line_may_come_without_a_list():
    assert [one.user for one in poly_keys.accounts_of({"data": {"LineNumber": "1", "SIPAddress": "1234"}}, "Trio 8800")] == ["1234"]


# ---------------------------------------------------------------------- who owns it


@pytest.mark.parametrize(("network", "expected"), [
    ({"ProvServerAddress": ""}, {}),
    ({"ProvServerAddress": "", "ZTPStatus": "enabled", "DHCPBootServerUseOption": "Custom+Option66", "DHCPBootServerOption": "160"}, {}),
    ({"ProvServerAddress": "prov.example.net", "ProvServerType": "FTP"}, {"server": "prov.example.net", "protocol": "ftp", "protected": False}),
    ({"ProvServerAddress": "http://prov.example.net/cfg", "ProvServerType": "FTP"}, {"server": "prov.example.net/cfg", "protocol": "http", "protected": False}),
    ({"ProvServerAddress": "https://u:p@prov.example.net/cfg"}, {"server": "prov.example.net/cfg", "protocol": "https", "protected": False}),
    ({"ProvServerAddress": "https://t1.deviceprovisioning.prod01-eu.dm.lens.poly.com", "ProvServerType": "HTTPS"},
     {"server": "t1.deviceprovisioning.prod01-eu.dm.lens.poly.com", "protocol": "https", "protected": False}),
    ({"ProvServerAddress": "https://ztp.polycom.com"}, {}),
    ({"ProvServerAddress": "prov.example.net", "ProvServerType": "pigeon"}, {"server": "prov.example.net", "protocol": "", "protected": False}),
    ({"ProvServerAddress": "0.0.0.0"}, {}),
])
def test_provisioning(network, expected):
    with made() as fake:
        fake.network.update({"ProvServerType": "", **network})
        assert inspect_phone(target_of(fake))["provisioning"] == expected


# ---------------------------------------------------------------------- fuzzing what phones send

NAMES = st.sampled_from(["data", "Status", "2000", "Value", "Source", "InvalidParams", "SIPAddress", "LineNumber", "CallState", "UpTime", "Days",
                         "ProvServerAddress", "MACAddress", "ModelNumber", *poly_keys.NAMES])
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | NAMES,
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12)


@settings(deadline=None)
@given(JSON)
def test_parsers_take_any_json(data):
    for shape in (data, {"data": data}, {"data": [data]}, {"data": data, "InvalidParams": data}):
        values = poly_keys.values_of(shape, poly_keys.NAMES)
        assert values is None or all(isinstance(text, str) for text in values.values())
        poly_keys.port_of(values or {})
        poly_keys.keep_alive_of(values or {})
        assert all(isinstance(name, str) for name in poly_keys.unknown_of(shape))
        assert all(account.number >= 1 for account in poly_keys.accounts_of(shape, "Edge E350"))
        assert poly_keys.calls_of(shape) is None or isinstance(poly_keys.calls_of(shape), str)
        assert isinstance(poly_keys.provisioning_of(shape), dict)
        assert isinstance(poly_status.code_of(shape), str)
    assert poly_keys.seconds_of(data) is None or isinstance(poly_keys.seconds_of(data), int)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_parsers_take_any_text(text):
    assert poly_keys.seconds_of(text) is None or poly_keys.seconds_of(text) >= 0
    for name in poly_keys.NAMES:
        port = poly_keys.port_of({PORT: "5074", name: text})
        assert port is None or 1 <= port <= 65535
    assert poly_keys.provisioning_of({"data": {"ProvServerAddress": text}}).get("server", "x")
    poly_keys.accounts_of({"data": [{"LineNumber": text, "SIPAddress": text}]}, text)


class Rubbish(FakePoly):
    """Answers everything that needs the login with the JSON it is given; ``wrapped``: under a status of success."""

    answer: object = None
    only = ""

    def handle(self, request):
        if request.path.startswith("/api/") and request.headers.get("authorization") and self.only in request.path:
            return Reply.json(self.answer)
        return super().handle(request)


@settings(max_examples=60, deadline=None)
@given(JSON, st.booleans(), st.sampled_from(["", "config/get", "config/set", "lineInfo", "network/info", "callStatus", "device/info"]))
def test_a_whole_visit_survives_any_json(data, wrapped, only):
    with Rubbish("vvx", password=PASSWORD) as fake:
        fake.answer, fake.only = ({"data": data, "Status": "2000"} if wrapped else data), only
        try:
            configure_phone(target_of(fake), WANTED, when_busy="skip")
        except EvenportError as error:
            assert str(error)
        assert fake.login_attempts == 0
