# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every word that the audit and the rollout say: what it means, how bad it is, what to do about it; and a finding made of it. Pure data.

Severities: ``error``: calls are or will be broken, or the audit could not see; ``warning``: should be mended but works today; ``info``:
worth knowing. A finding may be milder or worse than its word usually is; where that is so, the word's text says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ERROR, WARNING, INFO, OK = "error", "warning", "info", "ok"
SEVERITIES = (ERROR, WARNING, INFO)             # the worst first

# What a site can be at worst, best first. Those from "unseen" to "duplicate" are also what a line that is not in order is counted as.
STATES = ("ok", "info", "unseen", "offline", "drift", "router", "duplicate", "failed")


@dataclass(frozen=True)
class Meaning:
    text: str
    remedy: str
    severity: str = ERROR
    state: str = "failed"       # of STATES: what it makes of its site, and of the line whose verdict it is


MEANINGS: dict[str, Meaning] = {
    "ok": Meaning("the PBX sees the planned port", "", OK, "ok"),
    "duplicate": Meaning(
        "several phones arrive at the PBX from one address and port", "Run the rollout: each phone needs its own local SIP port.", state="duplicate"),
    "wrong_port": Meaning(
        "the phone signals from another port than planned", "Run the rollout; if it was just run, the phone may need a restart.", state="drift"),
    "random_port": Meaning("the phone picks a random local port", "Run the rollout: it switches the phone's random port off.", state="drift"),
    "router_translated": Meaning(
        "the phones use their planned ports but the router rewrites them",
        "Nothing to push to the phones. On the router: switch source-port preservation on (also called consistent NAT or static port) "
        "and its SIP ALG off; then run the audit again.", state="router"),
    "port_contested": Meaning(
        "another phone behind the same public address uses the same local port, and the router gave this one another",
        "Run the rollout: each phone needs its own local SIP port.", WARNING, "duplicate"),
    "alg_or_stun": Meaning(
        "a SIP ALG or STUN has rewritten what the phone says of itself; its own port can't be seen from the PBX",
        "Switch the router's SIP ALG and the phone's STUN off, then look again.", WARNING, "router"),
    "nat_option_missing": Meaning(
        "the PBX sends to the phone's private address (a warning where it reaches the phone there)",
        "Run the rollout: it switches the extension's NAT option on.", state="drift"),
    "unverified_nat": Meaning(
        "the phone claims the planned port, but without rewrite_contact the PBX can't see the packets' source",
        "Switch the extension's NAT option on.", WARNING, "drift"),
    "registered_before": Meaning(
        "the NAT option is on, but the PBX still sends to the phone's private address, as the phone told it before, and does not hear it there",
        "It holds from the phone's next registration; restart the phone when nobody is on it if that takes too long. If phone and PBX are on one "
        "network, set sip_nat_option: false.", WARNING, "drift"),
    "port_unseen": Meaning(
        "registered, but this PBX does not tell the port that it sees: nothing proves the phone's port",
        "Look where the port can be seen: on the phone's own status page, in the router's table of connections, or in the PBX's own SIP trace.",
        INFO, "unseen"),
    "other_port_seen": Meaning(
        "the PBX sees another port than planned, and does not show what the phone itself says: it may be the phone or the router",
        "Compare with the phone's own setting: if that is the planned port, the router rewrites it (static port / consistent NAT, SIP ALG off); "
        "if not, run the rollout.", WARNING, "drift"),
    "not_seen": Meaning(
        "its PBX was not read, or shows how it was before the phone was moved, or the plan has no port for it: nothing is known of this line",
        "", INFO, "unseen"),
    "unknown_extension": Meaning("the PBX knows no such extension", "Create it in the PBX, or correct sip_extensions.", state="offline"),
    "not_registered": Meaning(
        "the PBX has no registration for this extension", "Is the phone on, and are its SIP account's user and password right?", WARNING, "offline"),
    "wrong_setting": Meaning(
        "the phone's own setting is another port than planned, though the PBX does not show it on a wrong one",
        "Run the rollout: the phone takes the wrong port at its next start.", WARNING, "drift"),
    "random_port_on": Meaning(
        "the phone is set to pick a random local port, though its port happens to be the planned one",
        "Run the rollout: it switches the phone's random port off.", WARNING, "drift"),
    "tls_port_taken": Meaning(
        "something sits on the SIP-TLS port of another phone's line (its SIP port + 1)",
        "Run the rollout; give what it can't move (a softphone, a further account) another port.", WARNING, "drift"),
    "reverted": Meaning(
        "the phone has gone back to what it was before the last push",
        "Set the planned port at the provisioning server, or take the server off the phone; where there is none, ask who has reset the phone. "
        "Then run the rollout.",
        state="drift"),
    "stale_contact": Meaning("an old registration of the same phone has not expired yet", "It goes by itself.", INFO, "info"),
    "unmanaged": Meaning("a softphone or second device: seen, never pushed", "", INFO, "info"),
    "unmanaged_on_planned_port": Meaning(
        "a softphone or second device sits on a port that the plan gives to a phone",
        "Give it another port, or reserve its port (sip_ports_reserved) and run plan. If it is a phone, add it to the inventory.", state="duplicate"),
    "unknown_device": Meaning(
        "a device that the inventory doesn't have registers from the site's own public address (a warning where it is a desk phone)",
        "If it is a phone of this site, add it to the inventory and run plan; if it is not, look who it is.", INFO, "info"),
    "unexpected_address": Meaning(
        "the phone registers from another public address than most lines of its site",
        "Is it elsewhere (at somebody's home, behind a second line)? Then make that place a site of its own.", WARNING, "info"),
    "shared_address": Meaning(
        "phones of another site come from the same public address, and both plans give out the same ports: one router serves both",
        "Make the two one site (one group, one lock), or give each a port range of its own (sip_port_start, sip_port_end). "
        "Where it is the provider's NAT that they share, nothing needs to be done here.", WARNING, "info"),
    "default_password": Meaning(
        "the phone's web password is the one it has from the factory",
        "Set another one on the phone, then sip_phone_password (ansible-vault).", WARNING, "info"),
    "lock_nearly_full": Meaning(
        "the site's port range is nearly used up", "Raise sip_port_end, or release retired ports; else the next phones of this site will not fit.",
        WARNING, "info"),
    "lock_stale": Meaning(
        "the lock holds ports that no phone of the inventory uses any more",
        "Run plan with sip_plan_retire for phones that are gone for good, and with sip_plan_release for retired ports that may be used again.", INFO, "info"),
    "auth_failed": Meaning("the phone refused the web password", "Correct sip_phone_password. It was tried once and won't be tried again in this run."),
    "locked": Meaning("the phone refuses logins for a while", "Wait until the lock has passed, then run again."),
    "identity_mismatch": Meaning("another phone answers at this address", "Correct ansible_host or sip_mac."),
    "deferred": Meaning("the phone did not answer, or a call was up", "Run again with --limit later.", WARNING, "offline"),
    "pbx_not_read": Meaning("the PBX was not asked or did not answer", "Mend that, then run the audit again: nothing is proven until the PBX has been asked.",
                            state="unseen"),
    "status_old": Meaning(
        "what the PBX shows was exported some time ago, and can't show what has changed since then (a warning where phones have been moved since)",
        "Export it again, then run the audit.", INFO, "info"),
    "port_taken": Meaning("another phone still holds the planned port", "Bring that phone in order first.", state="drift"),
    "certificate_refused": Meaning(
        "the phone's or PBX's certificate can't be verified", "Pin its fingerprint, which the message shows, or set the path to its CA."),
    "unsupported": Meaning("not a phone, a firmware or a setting that the collection knows how to drive", "Set the port by hand, or tell us what it is."),
    "bad_answer": Meaning("the device answered what its protocol does not allow", "Restart it, then run again."),
    "session_lost": Meaning("the phone ended our web session in the middle of the work", "Is somebody else logged in? Run again."),
    "not_applied": Meaning(
        "the phone said success, but reading back shows another value", "Has this user the right to change it? Does a provisioning server own it?"),
    "provisioned": Meaning(
        "a provisioning server owns the phone and would undo the change, so nothing was written",
        "Set the port at that server; or take the server off the phone; or set sip_phone_when_provisioned: push and know that it may not last.", state="drift"),
    "provisioning_server": Meaning(
        "a provisioning server may set this phone's port anew", "Set the planned port there too, or take the server off the phone.", INFO, "info"),
    "not_proven": Meaning(
        "the phone was moved but its PBX does not show the port", "It was put back as it was: look at the phone's registration, then run again."),
    "permission_missing": Meaning("the AMI user may not do what is needed", "Give it read = system and write = system."),
    "pbx_failed": Meaning("the PBX's NAT options could not be set, so its phones were left as they are", "Mend what the message says, then run again."),
    "site_stopped": Meaning("all phones that went first failed, so the rest of the site was left as it is", "Mend what their messages say, then run again."),
    "plan_refused": Meaning("the plan or the lock can't be as it is; nothing was touched", "Do what the message says; mostly it is: run plan."),
    "device_failed": Meaning("a phone or a PBX did not do what it should", "See the message."),
    "error": Meaning("something else went wrong with this phone or its variables", "See the message."),
    "active_account": Meaning(
        "an active account that the plan doesn't know sits on a port of the plan", "Plan it as a line (sip_extensions), or switch the account off.",
        state="duplicate"),
}


@dataclass(frozen=True)
class Finding:
    """One audited difference: *cause* is what findings of many phones have in common, *evidence* what is this one's own, *text* both as a sentence."""

    code: str
    severity: str
    phone: str = ""                     # "": of the whole site
    line: int = 0                       # 0: of the whole phone or site
    lines: tuple[str, ...] = ()         # of a finding about the site: the lines that it is seen on
    cause: str = ""
    evidence: str = ""
    text: str = ""
    remedy: str = ""
    more: tuple[str, ...] = ()          # what else tells it from others of its code, phone and line

    @property
    def id(self) -> str:
        """The same for the same finding in every run, and unique within its site."""
        return "/".join([self.code, self.phone, str(self.line), *self.more])

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id, "code": self.code, "severity": self.severity, "phone": self.phone, "line": self.line, "lines": list(self.lines),
            "cause": self.cause, "evidence": self.evidence, "text": self.text, "remedy": self.remedy, "trend": "",
        }


def found(
    code: str, evidence: str = "", *, phone: str = "", line: int = 0, lines: Iterable[str] = (), more: Iterable[str] = (),
    cause: str = "", text: str = "", remedy: str = "", severity: str = "",
) -> Finding:
    """A finding with what its word means, where nothing better is known. The remark in brackets is the word's, not the finding's."""
    meaning = MEANINGS.get(code, MEANINGS["error"])
    cause = cause or meaning.text.split(" (a warning where ")[0]
    told = text or (f"{cause}: {evidence}" if evidence else cause)
    return Finding(code, severity or meaning.severity, phone, line, tuple(lines), cause, evidence, told, remedy or meaning.remedy, tuple(more))


def listed(names: Iterable[str], most: int = 6) -> str:
    """"a, b, c and 4 more", each name once."""
    names = list(dict.fromkeys(names))
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
