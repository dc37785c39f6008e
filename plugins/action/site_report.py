# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.site_report. See the module for the documentation."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.rollout.files import append_journal, last_pushes, write_deferred, write_json
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import VARIABLES, Site, sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.outcome import Outcome, outcome_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report
from ansible_collections.evenport.sip.plugins.plugin_utils.hosts import variables_of
from ansible_collections.evenport.sip.plugins.plugin_utils.report.folder import FORMATS, ReportFolder, compared_with_file
from ansible_collections.evenport.sip.plugins.plugin_utils.report.select import (
    NAMED,
    SEVERITIES,
    fail_on,
    failure,
    only_sites,
    readable,
    refuse_unknown,
    sites_of_value,
    where,
)
from ansible_collections.evenport.sip.plugins.plugin_utils.report.terminal import report_lines, value_lines
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line
from ansible_collections.evenport.sip.plugins.plugin_utils.version import made_by

display = Display()

ARGUMENTS = {
    "scan": {"type": "dict"},
    "reads": {"type": "list", "elements": "dict", "default": []},
    "run": {"type": "str", "choices": ["audit", "rollout"], "default": "audit"},
    "file": {"type": "path", "default": ""},
    "directory": {"type": "path", "default": ""},
    "report_directory": {"type": "path", "default": ""},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": ["json", "html"]},
    "previous": {"type": "path", "default": ""},
    "where": {"type": "str", "default": ""},
    "fail_on": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    BYPASS_HOST_LOOP = True
    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        task_vars = task_vars or {}
        result = {**super().run(tmp, task_vars), "changed": False}
        _validation, arguments = self.validate_argument_spec(argument_spec=ARGUMENTS)
        try:
            refuse_unknown(arguments["fail_on"])
            if arguments["where"]:
                readable(arguments["where"])
            if arguments["scan"] is None:
                return result
            return {**result, **self._report(arguments, task_vars)}
        except EvenportError as error:
            return {**result, "failed": True, "msg": str(error), "code": error.code}

    def _report(self, arguments: Mapping[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        scan, journal = arguments["scan"], arguments["directory"]
        states = scan["phones"]
        found, _broken = variables_of(states, VARIABLES, task_vars, self)
        sites = sites_of(found)
        for phone in (phone for site in sites.values() for phone in site.phones):
            phone.ports = states[phone.name]["ports"]       # the scan knows better: a phone may have one port for all its lines
        of_the_run = _same_for_all(task_vars["hostvars"], scan)
        outcomes = {phone: outcome_of({**of_the_run, **_own(task_vars["hostvars"][phone], phone)}) for phone in [*scan["work"], *scan["troubled"]]}
        moved = of_the_run.get("sip_settled", {}).get("moved", {})
        is_audit = arguments["run"] == "audit"
        pushes = last_pushes(journal, {phone.name: site.name for site in sites.values() for phone in site.phones}) if journal else {}
        deferred = [phone for phone in states if phone in outcomes and outcomes[phone].deferred]
        noted = [] if is_audit or self._task.check_mode or not journal else _keep_journal(journal, states, outcomes, moved, deferred)
        report = build_report(
            sites, states, {read["item"]["key"]: read for read in arguments["reads"]}, outcomes,
            now=int(time.time()), run="audit" if is_audit else "check" if self._task.check_mode else "rollout", made_by=made_by(),
            journal=pushes, pbx_types=self._pbx_types(sites, task_vars), moved=moved, whole=self._is_whole(task_vars))
        report, notes, troubles = self._keep(arguments, report, task_vars)
        value, lines, trouble = _found(arguments["where"], report)
        lost = [f"NOT SEEN: {one_line(state['msg'])}" for state in states.values() if not state["site"]]        # in no site, so in no report
        failed = list(filter(None, [failure(arguments["fail_on"], fail_on(arguments["fail_on"], report)), trouble]))
        failed += lost if {*arguments["fail_on"]} & {*SEVERITIES} else []
        display.display("\n".join([*lines, *(f"\n{line}" for line in [*noted, *notes, *(f"! {sentence}" for sentence in failed)])]))
        for sentence in [*lost, *_unseen(report), *troubles]:
            display.warning(sentence)
        return {
            "report": report, "found": value, "deferred": deferred, "not_done": [phone for phone, outcome in outcomes.items() if outcome.failed],
            "failure": " ".join(failed if self._task.check_mode else [*failed, *troubles]),
        }

    def _keep(self, arguments: Mapping[str, Any], report: dict[str, Any], task_vars: dict[str, Any]) -> tuple[dict[str, Any], list[str], list[str]]:
        """Compare the report with the one before and write its files: (the report with its trend, notes, what could not be written)."""
        directory = arguments["report_directory"]
        folder = ReportFolder(directory, arguments["formats"], [site["site"] for site in report["sites"]]) if directory else None
        alone: dict[str, dict[str, Any]] = {}
        notes: list[str] = []
        troubles: list[str] = []
        if arguments["previous"]:
            report, alone, notes = compared_with_file(report, arguments["previous"])
        elif folder:
            report, alone, notes = folder.compared(report)
        if folder:
            told, troubles = folder.write(report, alone, self._partly(arguments["scan"], task_vars), task_vars["groups"])
            notes += [*told, f"Reports: {directory}"] if len(troubles) <= len(alone) else told
        if arguments["file"]:
            try:
                write_json(arguments["file"], report)
            except OSError as error:
                troubles.append(f"{arguments['file']} was not written: {error.strerror or error}.")
        return report, notes, troubles

    def _partly(self, scan: Mapping[str, Any], task_vars: dict[str, Any]) -> list[str]:
        """Sites of which the inventory has phones that are not in this run: left out by a limit, by serial, or by the play's own hosts."""
        sites = dict.fromkeys(state["site"] for state in scan["phones"].values() if state["site"])
        return [site for site in sites if _left_out(site, task_vars, lambda variables, name=site: variables.get("sip_site") == name)]

    def _is_whole(self, task_vars: dict[str, Any]) -> bool:
        return not _left_out("all", task_vars, lambda variables: variables.get("sip_site"))

    def _pbx_types(self, sites: Mapping[str, Site], task_vars: dict[str, Any]) -> dict[str, str]:
        names = dict.fromkeys(phone.pbx for site in sites.values() for phone in site.phones if phone.pbx in task_vars["hostvars"])
        found, _broken = variables_of(names, ["sip_pbx_type"], task_vars, self)
        return {name: str(variables.get("sip_pbx_type") or "asterisk") for name, variables in found.items()}


def _left_out(group: str, task_vars: Mapping[str, Any], is_meant: Callable[[Mapping[str, Any]], Any]) -> bool:
    """Whether the inventory's *group* has a host that is meant and not in this run."""
    here = {*task_vars["ansible_play_batch"]}
    return any(host not in here and is_meant(task_vars["hostvars"][host]) for host in task_vars["groups"].get(group, ()))


def _found(expression: str, report: Mapping[str, Any]) -> tuple[Any, list[str], str]:
    """(what *expression* finds, what to show: those sites or what else it is, why it can't be applied). Without one: the whole report."""
    if not expression:
        return None, report_lines(report), ""
    try:
        value = where(expression, report)
    except EvenportError as error:
        return None, report_lines(report), str(error)
    names = sites_of_value(value, report)
    return value, report_lines(only_sites(report, names)) if names else ["", *value_lines(value)], ""


def _unseen(report: Mapping[str, Any]) -> list[str]:
    """Whatever the report is asked for, nobody shall take silence for good news."""
    unread: dict[str, list[str]] = {}
    for site in report["sites"]:
        for finding in site["findings"]:
            if finding["code"] == "pbx_not_read":
                unread.setdefault(one_line(finding["text"]).rstrip("."), []).append(site["site"])
    return [
        f"NOT SEEN: {why}. Nothing is proven at {', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}."
        for why, names in unread.items()]


def _keep_journal(
    directory: str, states: Mapping[str, Any], outcomes: Mapping[str, Outcome], moved: Mapping[str, Any], deferred: list[str],
) -> list[str]:
    try:
        append_journal(directory, (_entry(phone, states[phone], change, outcomes[phone].status) for phone, change in moved.items() if phone in outcomes))
        path = write_deferred(directory, deferred, states)
        return [f"To be done again: --limit @{path}"] if path else []
    except OSError as error:
        display.warning(f"No journal was written: {error}. Set sip_output_directory to a place that can be written, or to \"\".")
        return []


def _same_for_all(hostvars: Mapping[str, Any], scan: Mapping[str, Any]) -> dict[str, Any]:
    """What all phones that had work to do have in common, looked up once: each look resolves the whole of it anew."""
    found: dict[str, Any] = {"sip_scan": scan}
    for name in ("sip_settled", "sip_pbx_failed", "sip_unknown_extensions"):
        holder = next((hostvars[phone] for phone in scan["work"] if name in hostvars[phone]), None)
        if holder is not None:
            found[name] = holder[name]
    return found


def _own(variables: Mapping[str, Any], phone: str) -> dict[str, Any]:
    return {"inventory_hostname": phone, **{name: variables[name] for name in ("sip_pushed", "sip_restarted", "sip_restored") if name in variables}}


def _entry(phone: str, state: Mapping[str, Any], change: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    """A push that failed after it wrote doesn't say what was there before; the scan does."""
    before = change["before"] or state.get("before", {})
    return {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "site": state["site"], "phone": phone, **change, "before": before, "outcome": outcome}
