"""docs/report.schema.json: strict, and what the sample reports keep to."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from tests.unit.plugins.plugin_utils.report.sample import STATES, sample_report

SCHEMA = json.loads((Path(__file__).parents[5] / "docs" / "report.schema.json").read_text(encoding="utf-8"))
VALID = jsonschema.Draft202012Validator(SCHEMA)


def objects(value, path=()):
    """Every object inside, with the way to it."""
    if isinstance(value, dict):
        yield path, value
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from objects(inner, (*path, key))


def test_the_schema_is_a_schema_and_leaves_nothing_open():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    described = [(path, one) for path, one in objects(SCHEMA["$defs"]) if one.get("type") == "object"]
    assert len(described) == 10
    for path, one in described:
        assert one["additionalProperties"] is False, path
        assert sorted(one["required"]) == sorted(one["properties"]), path


@pytest.mark.parametrize(("sites", "lines", "seed"), [(3, 40, 1), (1, 1, 2), (0, 0, 3), (12, 5, 4), (2, 300, 5)])
def test_samples_are_valid_and_count_right(sites, lines, seed):
    report = sample_report(sites, lines, seed)
    VALID.validate(report)
    assert json.dumps(report) == json.dumps(sample_report(sites, lines, seed))
    assert len(report["sites"]) == sites
    for site in report["sites"]:
        counts = site["counts"]
        managed = [line for line in site["lines"] if line["kind"] == "phone"]
        assert counts["lines"] == len(managed) == lines == sum(counts[g] for g in ("ok", "drift", "duplicate", "router", "offline", "unseen"))
        assert counts["unmanaged"] == len(site["lines"]) - len(managed)
        assert (counts["errors"], counts["warnings"], counts["infos"]) == tuple(
            sum(f["severity"] == severity for f in site["findings"]) for severity in ("error", "warning", "info"))
        ids = [finding["id"] for finding in site["findings"]]
        assert len(ids) == len(set(ids))
        assert {finding["code"] for finding in site["findings"]} <= set(MEANINGS)


def test_the_sample_has_everything_that_can_be_rendered():
    report = sample_report()
    lines = [line for site in report["sites"] for line in site["lines"]]
    assert {line["verdict"] for line in lines} == {*MEANINGS, "not_seen"} & {line["verdict"] for line in lines}
    assert {"ok", "duplicate", "wrong_port", "router_translated", "not_seen", "unmanaged", "not_registered"} <= {line["verdict"] for line in lines}
    assert {line["severity"] for line in lines} == {"ok", "info", "warning", "error"}
    assert {site["state"] for site in report["sites"]} >= {"ok", "unseen", "duplicate"} and {site["state"] for site in report["sites"]} <= set(STATES)
    assert any(line["contacts"] for line in lines) and any(site["fixed"] for site in report["sites"]) and any(site["not_seen"] for site in report["sites"])
    assert {finding["trend"] for site in report["sites"] for finding in site["findings"]} == {"new", "still"}


def test_any_field_too_many_or_too_few_is_refused():
    whole = sample_report(3, 40)
    whole["sites"][2]["lines"] = [line for line in whole["sites"][2]["lines"] if line["contacts"]][:1]
    whole["sites"] = whole["sites"][2:]
    whole["sites"][0]["findings"] = whole["sites"][0]["findings"][:1]
    whole["sites"][0]["phones"] = whole["sites"][0]["phones"][:1]
    VALID.validate(whole)
    seen = 0
    for path, one in list(objects(whole)):
        for key in [*one, None]:
            broken = copy.deepcopy(whole)
            inner = broken
            for step in path:
                inner = inner[step]
            if key is None:
                inner["password"] = "x"
            else:
                del inner[key]
            assert not VALID.is_valid(broken), (path, key)
            seen += 1
    assert seen > 80


LINE = ("sites", 0, "lines", 0)


@pytest.mark.parametrize(("path", "value"), [
    (("schema",), 1), (("made_at",), "2026-11-23 05:00:00"), (("made_at",), ""), (("previous_at",), "yesterday"), (("run",), "x"),
    ((*LINE, "seen"), 70000), ((*LINE, "seen"), "5060"), ((*LINE, "line"), 0), ((*LINE, "severity"), "fatal"), ((*LINE, "verdict"), "Not A Code"),
    ((*LINE, "nat_option"), "yes"), (("sites", 0, "state"), "bad"), (("sites", 0, "phones", 0, "mac"), "00:11:22:33:44:55"),
    (("sites", 0, "counts", "ok"), -1), (("sites", 0, "site"), ""),
])
def test_wrong_values_are_refused(path, value):
    report = sample_report(1, 2)
    inner = report
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    assert not VALID.is_valid(report)
