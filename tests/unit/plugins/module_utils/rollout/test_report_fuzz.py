# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever PBXs, phones and an edited journal say, there is a report of the schema, the same each time, and in whatever order a PBX lists its contacts."""

from __future__ import annotations

import json
import random
from pathlib import Path

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report

VALID = jsonschema.Draft202012Validator(json.loads((Path(__file__).parents[5] / "docs/report.schema.json").read_text("utf-8")))
TEXT = st.text(max_size=8) | st.sampled_from(
    ["", "<script>", "=1+1", "a/b", "x\r\ny", "Yealink SIP-T46S 66.84.0.15", "MicroSIP/3", "Fanvil X4 2.1 0c383e07e16c"])
PORT = st.sampled_from([0, 5060, 5061, 5062, 5063, 41000, 65535, 99999])
ADDRESS = st.sampled_from(["", "203.0.113.1", "198.51.100.7", "192.168.1.5", "192.168.1.6", "2001:db8::1", "fe80::1%eth0", "host.invalid", "\x00"])
REGISTRATION = st.fixed_dictionaries({
    "extension": st.sampled_from(["1", "2", "3", "4", "m"]) | TEXT, "claimed_address": ADDRESS, "claimed_port": PORT,
    "seen_address": ADDRESS, "seen_port": PORT, "transport": st.sampled_from(["udp", "tcp", "tls", "wss"]), "user_agent": TEXT,
    "status": st.sampled_from(["reachable", "unreachable", "unknown"]),
    "expires": st.sampled_from([0, 50, 500]), "seen_is_source": st.booleans()})
OPTION = st.fixed_dictionaries({"extension": st.sampled_from("1234"), "rewrite_contact": st.sampled_from([None, True, False])})
READ = st.none() | st.just({"failed": True}) | st.fixed_dictionaries({
    "registrations": st.lists(REGISTRATION, max_size=8), "extensions": st.lists(OPTION, max_size=4), "missing": st.lists(st.sampled_from("1234"), max_size=1),
    "live": st.booleans(), "as_of": st.sampled_from([0, 90]), "shows_ports": st.booleans()})
SETTINGS = st.fixed_dictionaries({"random_port": st.sampled_from([None, True, False]), "lines": st.lists(
    st.fixed_dictionaries({"line": st.integers(1, 2), "local_port": st.none() | PORT}), max_size=2)})
STATE = st.just({}) | st.fixed_dictionaries({
    "state": st.just("in_order"), "code": st.sampled_from(["", "provisioned", "new_word", "auth_failed"]), "msg": TEXT, "what": TEXT, "remedy": TEXT,
    "settings": SETTINGS, "port_scope": st.sampled_from(["line", "phone"]), "further": st.dictionaries(st.sampled_from("23"), PORT, max_size=2),
    "identity": st.just({}) | st.fixed_dictionaries({"brand": TEXT, "model": TEXT, "firmware": TEXT, "mac": TEXT}),
    "provisioning": st.just({}) | st.fixed_dictionaries({"server": TEXT, "protected": st.booleans()}), "default_password": st.booleans()})
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXT, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["lines", "line", "local_port", "random_port"]), inner, max_size=3), max_leaves=8)
HOSTS = {
    "a": {"sip_site": "acme", "sip_extensions": ["1", "2"], "sip_ports": {"a": [5060, 5064], "b": [5062]}, "sip_phone_transport": "tls"},
    "b": {"sip_site": "acme", "sip_extensions": ["3"], "sip_ports": {"a": [5060, 5064], "b": [5062]}},
    "m": {"sip_site": "acme", "sip_extensions": ["m"], "sip_phone_kind": "softphone"},
    "c": {"sip_site": "beta", "sip_extensions": ["4"], "sip_ports": {"c": [5060]}},
    "d": {"sip_site": "broken", "sip_extensions": ["4"], "sip_ports": {"d": [1]}},
}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(read=READ, states=st.fixed_dictionaries(dict.fromkeys(HOSTS, STATE)), journal=st.dictionaries(
    st.sampled_from(sorted(HOSTS)), st.fixed_dictionaries({"before": JSON, "after": JSON, "time": TEXT}), max_size=2), moved=st.sets(st.sampled_from("ab")),
    whole=st.booleans(), seed=st.integers())
def test_there_is_always_a_report(read, states, journal, moved, whole, seed):
    def report(read):
        hosts = {name: {"sip_pbx": "pbx", **variables} for name, variables in HOSTS.items()}
        return build_report(sites_of(hosts), states, {"pbx": read} if read else {}, now=100, journal=journal, moved=moved, whole=whole)
    first = report(read)
    VALID.validate(first)
    for site in first["sites"]:
        ids = [one["id"] for one in site["findings"]]
        assert len(set(ids)) == len(ids)
        counts = site["counts"]
        assert counts["lines"] == sum(counts[group] for group in ("ok", "drift", "duplicate", "router", "offline", "unseen"))
        lines = {(line["phone"], line["line"]) for line in site["lines"]}
        assert all(not one["line"] or (one["phone"], one["line"]) in lines for one in site["findings"]), "an account is no line"
    if read and "registrations" in read:
        mixed = random.Random(seed).sample(read["registrations"], len(read["registrations"]))
        assert json.dumps(first) == json.dumps(report({**read, "registrations": mixed}))
