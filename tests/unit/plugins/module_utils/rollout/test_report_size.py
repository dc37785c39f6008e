# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report of 5,000 registrations and 1,000 phones: its work grows with its input and no faster. Calls are counted, no time is measured."""

from __future__ import annotations

import sys

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report


def fleet(sites, phones, strangers, one_address=False):
    """*sites* of *phones* each at one PBX, a third of them in order, a third on 5060, a third with an old contact; and *strangers* that nobody knows."""
    hosts, registrations, extensions = {}, [], []
    for site in range(sites):
        lock = {f"s{site}p{n}": [5060 + 2 * n] for n in range(phones)}
        address = "203.0.113.1" if one_address else f"198.{18 + site // 65536}.{site // 256 % 256}.{site % 256}"
        for n, name in enumerate(lock):
            hosts[name] = {"sip_site": f"site{site}", "sip_pbx": "pbx", "sip_extensions": [name], "sip_ports": lock, "sip_port_end": 5060 + 4 * phones}
            extensions.append({"extension": name, "rewrite_contact": True})
            port = 5060 if n % 3 == 1 else 5060 + 2 * n
            one = {"extension": name, "claimed_address": f"192.168.{n // 250}.{n % 250 + 1}", "claimed_port": port, "seen_address": address,
                   "seen_port": 5060 + 2 * n, "transport": "udp", "user_agent": "Yealink SIP-T46S 66.86.0.15", "status": "reachable", "expires": 9,
                   "seen_is_source": True}
            registrations += [one, {**one, "claimed_port": 5999, "expires": 8}] if n % 3 == 2 else [one]
        registrations += [{"extension": f"x{site}n{n}", "claimed_address": "10.0.0.1", "claimed_port": 50000, "seen_address": address, "seen_port": 50000 + n,
                           "transport": "udp", "user_agent": "MicroSIP/3.21.3", "seen_is_source": True} for n in range(strangers // sites)]
    states = {name: {
        "state": "in_order", "code": "", "msg": "", "further": {}, "port_scope": "line", "identity": {"brand": "yealink"},
        "settings": {"lines": [{"line": 1, "local_port": host["sip_ports"][name][0]}]}} for name, host in hosts.items()}
    return sites_of(hosts), states, {"pbx": {"registrations": registrations, "extensions": extensions, "missing": []}}


def calls(*arguments):
    """How many functions are called, Python's own included, to make the report; and the report."""
    count = 0

    def watch(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")
    sys.setprofile(watch)
    try:
        report = build_report(*arguments, now=1)
    finally:
        sys.setprofile(None)
    return count, report


@pytest.mark.parametrize(("small", "large"), [((5, 20, 250), (50, 20, 2500)), ((2, 50, 100), (2, 500, 1000)), ((5, 20, 250, True), (50, 20, 2500, True))],
                         ids=["more sites", "larger sites", "all behind one address"])
def test_ten_times_as_much_is_ten_times_the_work(small, large):
    calls(*fleet(*small))                       # what is remembered from run to run
    few, dummy = calls(*fleet(*small))
    many, report = calls(*fleet(*large))
    assert sum(site["counts"]["lines"] for site in report["sites"]) == large[0] * large[1]
    assert many < 11 * few, (few, many)


def test_five_thousand_registrations_and_a_thousand_phones():
    sites, states, reads = fleet(10, 100, 3670)
    registrations = reads["pbx"]["registrations"]
    assert (len(states), len(registrations)) == (1000, 5000)
    report = build_report(sites, states, reads, now=1)
    counts = [site["counts"] for site in report["sites"]]
    assert [sum(one[key] for one in counts) for key in ("lines", "ok", "drift")] == [1000, 670, 330]
    assert sum(finding["code"] == "unknown_device" for site in report["sites"] for finding in site["findings"]) == 3670
