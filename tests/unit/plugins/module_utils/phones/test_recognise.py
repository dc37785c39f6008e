# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every brand is found out by itself, and none is disturbed or told a password by the questions that are meant for another."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.phones.front import Front
from ansible_collections.evenport.sip.plugins.module_utils.phones.recognise import PROBES, recognise
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.visit import Visit
from tests.fakes.brands import KINDS
from tests.fakes.web import FakeWebServer, Reply

ASKED = {name: probe for name, probe in PROBES.items() if probe.sign or probe.unasked}      # the others only where a person names them
RECOGNISED = {name: kind for name, kind in KINDS.items() if not kind.variables}


class Page(FakeWebServer):
    """A front page and nothing else."""

    def __init__(self, reply):
        super().__init__()
        self.reply, self.seen = reply, []

    def handle(self, request):
        self.seen.append(request)
        return self.reply if request.path == "/" else Reply(404)


def target(fake, **more):
    return Target(**{"name": "kitchen", "host": "127.0.0.1", "port": fake.port, "protocol": "http", "password": "hunter2", "timeout": 2.0, **more})


@pytest.mark.parametrize("kind", RECOGNISED)
def test_each_phone_is_found_out_before_anybody_logs_in(kind):
    with KINDS[kind].make(password="hunter2") as fake, WebSession(target(fake).reach()) as web:
        driver = recognise(target(fake), web)
        assert kind.partition("-")[0] == driver.BRAND
        assert (fake.login_attempts, fake.logins, fake.writes, fake.reboots) == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", RECOGNISED)
@pytest.mark.parametrize("probe", ASKED)
def test_no_brand_takes_another_brands_phone_for_its_own_nor_spoils_it(kind, probe):
    brand = kind.partition("-")[0]
    if probe == brand:
        return
    with KINDS[kind].make(password="hunter2") as fake:
        before = dict(fake.values)
        with WebSession(target(fake).reach()) as web:
            front = Front(web)
            if ASKED[probe].unasked or front.shows(ASKED[probe].sign):
                try:
                    assert ASKED[probe].ask(target(fake), web, front, None) is None
                except EvenportError as error:
                    pytest.fail(f"{probe} refused a {kind} instead of passing it on: {error}")
        assert (fake.login_attempts, fake.writes, fake.reboots, fake.values) == (0, 0, 0, before)
        with Visit(target(fake, brand=brand)) as visit:         # its own driver finds it as if nobody had been there
            assert visit.read().settings


@pytest.mark.parametrize(("kind", "brand"), [("grandstream", "cisco"), ("htek", "cisco"), ("snom", "poly"), ("yealink-servlet", "grandstream")])
def test_a_wrong_brand_in_the_inventory_is_told_which_one_it_looks_like(kind, brand):
    with KINDS[kind].make(password="hunter2") as fake, pytest.raises(Unsupported) as caught, WebSession(target(fake).reach()) as web:
        recognise(target(fake, brand=brand), web)
    assert f"sip_phone_brand: {kind.partition('-')[0]}" in str(caught.value) and "nonce" not in str(caught.value)
    assert fake.login_attempts == 0


@pytest.mark.parametrize(("reply", "evidence"), [
    (Reply(200, b"<title>nginx</title>"), "title 'nginx'"),
    (Reply(200, b"<title>Grandstream Device Configuration</title>"), "G0, G1"),
    (Reply(401, headers=[("WWW-Authenticate", 'Digest realm="some phone", nonce="0226407a", qop="auth"')]), 'realm="some phone"'),
    (Reply(401, headers=[("WWW-Authenticate", 'Basic realm="Aastra 6757i"')]), "a Mitel/Aastra"),
    (Reply(302, headers=[("Location", "/index.asp")]), "a Flyingvoice"),
    (Reply(200, b"<html>hello", headers=[("Server", "Siemens Gigaset C450 IP")]), "a Gigaset"),
    (Reply(500, b"broken"), "status 500"),
])
@pytest.mark.parametrize("brand", ["auto", "grandstream"])
def test_a_stranger_is_refused_with_the_evidence_and_gets_no_password(reply, evidence, brand):
    with Page(reply) as fake:
        with pytest.raises(Unsupported) as caught, WebSession(target(fake).reach()) as web:
            recognise(target(fake, brand=brand), web)
        assert evidence in str(caught.value) and "0226407a" not in str(caught.value)
        assert not any(b"hunter2" in request.body or "authorization" in request.headers for request in fake.seen)
        assert fake.log.count("GET /") == 1
