# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The work on the locks of a play: one job for each site, written together, proven together, put back together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.maintain import Upkeep, maintain
from ansible_collections.evenport.sip.plugins.module_utils.rollout.planning import SitePlan
from ansible_collections.evenport.sip.plugins.plugin_utils.changes import Changes
from ansible_collections.evenport.sip.plugins.plugin_utils.fresh_inventory import FreshInventory, Variables, differences
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_place import Place, find_place
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_text import render
from ansible_collections.evenport.sip.plugins.plugin_utils.plan_table import rows_of


@dataclass
class Job:
    """One site's work: what it is, what it shall be, and where that is written. ``text`` is None where the file stays as it is."""

    site: SitePlan
    upkeep: Upkeep
    place: Place
    text: str | None

    def as_result(self) -> dict[str, Any]:
        plan = self.upkeep.plan
        return {
            "changed": self.text is not None,
            "file": self.place.lock,
            "ports": self.upkeep.lock.ports,
            "retired": self.upkeep.lock.retired,
            "rows": rows_of(self.upkeep),
            "new": [{"phone": name, "line": line, "port": port} for name, line, port in plan.new],
            "moved": [{"phone": name, "line": line, "before": old, "port": port} for name, line, old, port in self.upkeep.moved],
            "kept": list(plan.absent),
            "surplus": [{"phone": name, "line": line, "port": port} for name, line, port in plan.surplus],
            "used": plan.used,
            "slots": plan.slots,
        }

    def diff(self) -> list[dict[str, str]]:
        if self.text is None:
            return []
        moved = [{"prepared": "move {} to {}, content as it is\n".format(*self.place.move)}] if self.place.move else []
        header = {"before_header": self.place.lock, "after_header": self.place.lock}
        return [*moved, {"before": self.place.text or "", "after": self.text, **header}]

    def warnings(self) -> list[str]:
        name, plan, found = self.site.name, self.upkeep.plan, []
        if plan.absent:
            found.append(
                f"{name}: in the lock but not among the phones of the inventory, ports kept: {', '.join(plan.absent)}. "
                f"Gone for good? Retire the ports: -e sip_plan_retire={plan.absent[0]}"
            )
        if plan.surplus:
            lines = ", ".join(f"{phone} line {line} ({port})" for phone, line, port in plan.surplus)
            found.append(
                f"{name}: ports of the lock that no line needs (the inventory has no such line, or the brand has one port for all lines): {lines}. "
                f"They are kept. Retire these alone, the phone keeps its others: -e sip_plan_retire={plan.surplus[0][0]}"
            )
        if plan.used + len(self.upkeep.lock.retired) >= 0.9 * plan.slots:
            found.append(f"{name}: {plan.used} of {plan.slots} ports used, {len(self.upkeep.lock.retired)} retired. Raise sip_port_end before the site grows.")
        return found


def check_wishes(sites: Sequence[SitePlan], retire: Sequence[str], release: Sequence[int]) -> None:
    """Refuse phones to retire and ports to release that no site of the play has, or that more than one has."""
    names = ", ".join(site.name for site in sites)
    for name in retire:
        if not any(name in site.lock.ports for site in sites):
            raise PlanError(f"{name} is to be retired, but no lock of the sites {names} has it.", "Correct the name, or the limit.")
    for port in release:
        having = [site.name for site in sites if port in site.lock.retired]
        if not having:
            raise PlanError(f"Port {port} is to be released, but it is retired in none of the sites {names}.", "Correct the port, or the limit.")
        if len(having) > 1:
            raise PlanError(f"Port {port} is to be released, but it is retired in {' and '.join(having)}.", f"Say which site: --limit {having[0]}")


def plan_job(site: SitePlan, inventory_files: Sequence[str | None], sources: Sequence[str], options: Mapping[str, Any]) -> Job:
    """The job of one site. *options*: retire, release, renumber, move as the action has them."""
    place = find_place(site.name, inventory_files, sources, move=options["move"])
    upkeep = maintain(
        site.phones, site.ports, site.lock, reserved=site.reserved, renumber=options["renumber"], site=site.name,
        retire=[name for name in options["retire"] if name in site.lock.ports], release=options["release"],
    )
    same = upkeep.lock == site.lock and place.text is not None
    return Job(site, upkeep, place, None if same else render(place.text, upkeep.lock, place.lock))


def refuse_other_definitions(job: Job, inventory: FreshInventory, variables: Variables) -> None:
    """A lock must be defined in its own file alone, and be what the hosts of the site really see."""
    site, lock = job.site, job.place.lock
    for where in inventory.definitions(site.hosts):
        if where != job.place.real_lock:
            raise PlanError(
                f"{site.name}: the lock (sip_ports, sip_ports_retired) is also defined in {where}, so one of the two would hide the other.",
                f"Move it into {lock}.",
            )
    in_file = inventory.file(lock) if job.place.text is not None else {}
    for variable, used in (("sip_ports", site.lock.ports), ("sip_ports_retired", site.lock.retired)):
        wanted = in_file.get(variable) or type(used)()
        for host in site.hosts:
            if used != wanted or (host in variables and (variables[host].get(variable) or type(used)()) != wanted):
                raise PlanError(
                    f"{site.name}: {host} sees another {variable} than {lock} has: it is defined somewhere else too.",
                    "Take it out of extra vars, play vars and whatever else defines it.",
                )


def write_jobs(jobs: Sequence[Job], before: FreshInventory, variables: Variables) -> None:
    """Write all locks, load the inventory again, and put everything back unless ``sip_ports*`` alone changed."""
    changes = _write_all(jobs)
    try:
        after = before.again().variables()
        changed = differences(variables, after)
        if changed:
            changes.undo()
            by_itself = differences(variables, before.again().variables())      # a dynamic inventory may never answer the same twice
            changed = [pair for pair in changed if pair not in by_itself]
            if not changed:
                changes = _write_all(jobs)
        if changed:
            host, name = changed[0]
            more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
            raise PlanError(
                f"Writing the lock changed the variable {name or '(the host itself)'} of {host}{more}; everything is put back as it was.",
                "Look for a group_vars file that the folder of the lock hides.",
            )
        for job in jobs:
            _refuse_shadow(job, after)
    except BaseException as error:
        changes.undo()
        if isinstance(error, AnsibleError):
            raise PlanError(f"The inventory can't be loaded with the lock in place: {error}; everything is put back as it was.") from error
        raise


def _refuse_shadow(job: Job, after: Variables) -> None:
    for host in job.site.hosts:
        if host in after and after[host].get("sip_ports") != job.upkeep.lock.ports:
            raise PlanError(
                f"{host} does not see the lock {job.place.lock} after it was written; everything is put back as it was.",
                "Look for another definition of sip_ports (a vars plugin, a group of higher priority).",
            )


def _write_all(jobs: Sequence[Job]) -> Changes:
    changes = Changes()
    try:
        for job in jobs:
            if job.place.move:
                changes.move(*job.place.move)
            changes.folder(job.place.folder)
            changes.write(job.place.lock, job.text or "")
    except BaseException as error:
        changes.undo()
        if isinstance(error, OSError):
            raise PlanError(f"The lock can't be written: {error}; everything is put back as it was.", "Check the permissions of the folder.") from error
        raise
    return changes
