"""The report names exactly the faults that a site was built with: no more, no less, each with its phone, its line and its severity."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from tests.unit.plugins.module_utils.audit.truth import FAULTS, SITE_FAULTS, world

# What a single site can't be built to show here; each has a test of its own elsewhere.
ELSEWHERE = {
    "ok", "not_seen", "port_unseen", "shared_address",
    # what only a run that writes can say (tests/unit/plugins/module_utils/rollout/test_rollout_report.py)
    "port_taken", "not_applied", "not_proven", "permission_missing", "pbx_failed", "site_stopped", "plan_refused",
}


def told(report):
    return sorted((one["code"], one["severity"], one["phone"], one["line"]) for one in report["findings"])


@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_of_a_phone(fault):
    made = world([fault], frozenset())
    assert told(made.report()) == sorted(made.told)


@pytest.mark.parametrize("fault", SITE_FAULTS)
def test_one_fault_of_a_site(fault):
    made = world([], frozenset([fault]))
    assert told(made.report()) == sorted(made.told)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from(sorted(FAULTS)), max_size=8), site_faults=st.frozensets(st.sampled_from(SITE_FAULTS)))
def test_any_faults_together(faults, site_faults):
    made = world(faults, site_faults)
    report = made.report()
    assert told(report) == sorted(made.told)
    counts = report["counts"]
    groups = sum(counts[group] for group in ("ok", "drift", "duplicate", "router", "offline", "unseen"))
    assert counts["lines"] == groups == sum(len(one.ports or [one.port]) for one in made.phones)
    assert [counts[f"{one}s"] for one in ("error", "warning", "info")] == [sum(t[1] == one for t in made.told) for one in ("error", "warning", "info")]
    ids = [one["id"] for one in report["findings"]]
    assert len(set(ids)) == len(ids) and ids == [one["id"] for one in made.report()["findings"]]
    severities = [("error", "warning", "info").index(one["severity"]) for one in report["findings"]]
    assert severities == sorted(severities)
    assert (report["state"] == "ok") == (not made.told)
    assert json.dumps(report) == json.dumps(made.report())


def test_every_word_can_be_told():
    made = [world([fault], frozenset()) for fault in FAULTS] + [world([], frozenset([fault])) for fault in SITE_FAULTS]
    assert set(MEANINGS) - {one[0] for site in made for one in site.told} == ELSEWHERE
