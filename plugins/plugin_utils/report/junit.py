# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JUnit XML, for the test results of GitLab, Jenkins and others. Pure.

One suite for each site, one case for each line, one for each finding that is about more than a line. GitLab groups by the class name, so that is the site,
and drops a second case of one name, so names are unique. Jenkins keeps one failure of a case, so several findings are one failure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from ansible_collections.evenport.sip.plugins.plugin_utils.report.groups import UNSEEN
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

Finding = Mapping[str, Any]


@dataclass
class Case:
    """One test case. Of failure and skipped at most one is there: the type (a code), the message, and further sentences."""

    name: str
    failure: tuple[str, str, list[str]] | None = None
    skipped: tuple[str, list[str]] | None = None
    out: list[str] = field(default_factory=list)


def junit(report: Mapping[str, Any]) -> str:
    """The whole report. Errors fail, what was not seen is skipped, warnings and infos are the case's output."""
    root = ElementTree.Element("testsuites", {"name": f"evenport.sip {report['run']}"})
    totals: Counter[str] = Counter()
    for site in report["sites"]:
        suite = ElementTree.SubElement(root, "testsuite", {"name": one_line(site["site"])})
        counts: Counter[str] = Counter(tests=0, failures=0, errors=0, skipped=0)
        names: Counter[str] = Counter()
        for case in _cases(site):
            counts["tests"] += 1
            counts["failures"] += case.failure is not None
            counts["skipped"] += case.skipped is not None
            _write(suite, case, one_line(site["site"]), names)
        for key, count in counts.items():
            suite.set(key, str(count))
        suite.set("time", "0")
        suite.set("timestamp", report["made_at"].rstrip("Z"))       # UTC; the common schema has no zone
        totals.update(counts)
        ElementTree.SubElement(suite, "system-out").text = one_line(site["sentence"])
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(totals[key]))
    root.set("time", "0")
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def _cases(site: Mapping[str, Any]) -> Iterator[Case]:
    known = {(line["phone"], line["line"]) for line in site["lines"]}
    about: dict[tuple[str, int], list[Finding]] = defaultdict(list)
    others = []
    for finding in site["findings"]:
        key = (finding["phone"], finding["line"])
        if key in known:
            about[key].append(finding)
        else:
            others.append(finding)
    whole = [finding for finding in others if not finding["phone"] and finding["severity"] == "error"]
    told = {(finding["code"], name) for finding in whole for name in finding["lines"] or [""]}
    for line in site["lines"]:
        name = f"{site['site']}/{line['phone']} line {line['line']}"
        yield _line_case(line, about[line["phone"], line["line"]], not told.isdisjoint({(line["verdict"], name), (line["verdict"], "")}))
    for finding in others:
        where = f"{finding['phone']}{' account ' + str(finding['line']) if finding['line'] else ''}" or "site"
        yield _case(f"{where}: {finding['code']}", [finding])
    if site["not_seen"]:
        yield Case("site: what was not seen", skipped=(site["not_seen"][0], site["not_seen"]))


def _line_case(line: Mapping[str, Any], findings: Sequence[Finding], of_the_site: bool) -> Case:
    """A fault of the whole site (a router that rewrites ports) fails once, as the site's; the lines that show it are skipped, as they prove nothing."""
    case = _case(f"{line['phone']} line {line['line']}", findings)
    if case.failure:
        return case
    told = f"{line['verdict']} (planned {line['planned'] or '-'}, claimed {line['claimed'] or '-'}, seen {line['seen'] or '-'})"
    if line["severity"] == "error" and of_the_site:
        case.skipped = (f"told once, for the whole site: {told}", [])
    elif line["severity"] == "error":
        case.failure = (line["verdict"], told, [])
    elif line["verdict"] in UNSEEN:
        case.skipped = (told, [])
    return case


def _case(name: str, findings: Sequence[Finding]) -> Case:
    errors = [finding for finding in findings if finding["severity"] == "error"]
    case = Case(name, out=[f"{f['severity']}: {_sentences(f)}" for f in findings if f["severity"] != "error"])
    if errors:
        case.failure = (errors[0]["code"], errors[0]["text"], [_sentences(finding) for finding in errors])
    return case


def _sentences(finding: Finding) -> str:
    return f"{finding['code']}: {finding['text'].rstrip('.')}. {finding['remedy']}".rstrip()


def _write(suite: ElementTree.Element, case: Case, site: str, names: Counter[str]) -> None:
    name = one_line(case.name)
    names[name] += 1
    element = ElementTree.SubElement(suite, "testcase", {
        "classname": site, "name": name if names[name] == 1 else f"{name} ({names[name]})", "time": "0"})
    if case.failure:
        code, message, told = case.failure
        ElementTree.SubElement(element, "failure", {"type": code, "message": one_line(message)}).text = _text(told or [message])
    elif case.skipped:
        message, told = case.skipped
        ElementTree.SubElement(element, "skipped", {"message": one_line(message)}).text = _text(told) or None
    if case.out:
        ElementTree.SubElement(element, "system-out").text = _text(case.out)


def _text(sentences: Sequence[str]) -> str:
    return "\n".join(map(one_line, sentences))
