# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a phone that answers on a socket to the report: what it holds, whose it is, which password it took."""

from __future__ import annotations

import json

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import wanted_from
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report
from ansible_collections.evenport.sip.plugins.module_utils.rollout.scan import scan_sites
from tests.fakes.grandstream import FakeGrandstream

ACCOUNTS = [{"number": 1, "active": True, "user": "101", "port": 5080}]
BEFORE, AFTER = ({"lines": [{"line": 1, "local_port": port}]} for port in (5080, 5060))


def look_at(fake, password, journal=None):
    sites = sites_of({"desk": {
        "sip_site": "acme", "sip_pbx": "", "sip_extensions": ["101"], "sip_ports": {"desk": [5060]}, "sip_phone_password": password}})
    with fake:
        target = Target("desk", fake.address, protocol="http", port=fake.port, password=password)
        states = scan_sites(sites.values(), lambda phone: inspect_phone(target, wanted_from({"ports": phone.ports})))
    report = build_report(sites, json.loads(json.dumps(states)), {}, now=1, journal=journal)
    return report["sites"][0], report


@pytest.mark.parametrize(("password", "told"), [("admin", ["default_password"]), ("hunter22", [])])
def test_the_password_that_was_accepted_is_the_one_that_is_judged_after_one_login(password, told):
    fake = FakeGrandstream(password=password, accounts=ACCOUNTS)
    site, report = look_at(fake, password)
    assert [one["code"] for one in site["findings"] if one["phone"]] == [*told, "wrong_setting"]
    assert fake.login_attempts == 1 and fake.writes == 0
    assert "hunter22" not in json.dumps(report) and '"admin' not in json.dumps(report)
    assert site["lines"][0]["set"] == 5080 and site["phones"][0]["read"] and site["phones"][0]["brand"] == "grandstream"


def test_a_phone_that_a_server_has_taken_back_is_read_and_told_once():
    fake = FakeGrandstream(password="hunter22", accounts=ACCOUNTS)
    fake.values["P237"] = "prov.example.net/cfg"
    site, dummy = look_at(fake, "hunter22", {"desk": {"before": BEFORE, "after": AFTER, "time": "2026-11-22T05:00:00Z", "outcome": "moved"}})
    assert [(one["code"], one["phone"]) for one in site["findings"] if one["phone"]] == [("reverted", "desk"), ("wrong_setting", "desk")]
    assert "prov.example.net/cfg has done it" in site["findings"][1]["text"] and site["phones"][0]["read"] and fake.writes == 0
