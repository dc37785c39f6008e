"""Sites with known faults: what inventory, lock, phones and PBX look like when this or that is wrong, and what the report must then say.

Each phone of a made-up site gets at most one fault of FAULTS, the site some of SITE_FAULTS; a fault says what it does to the phone's part of
the world and which findings that makes, no more and no less. Written from what the faults are, not from the code that finds them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema

from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import sites_of
from ansible_collections.evenport.sip.plugins.module_utils.rollout.report import build_report

VALID = jsonschema.Draft202012Validator(json.loads((Path(__file__).parents[5] / "docs/report.schema.json").read_text("utf-8")))
HERE, ELSEWHERE = "203.0.113.1", "198.51.100.7"
NOW = 1795410000
SITE, PBX = "acme", "pbx1"


def report_of(plan: Mapping[str, int], registrations: list[Registration], options: Mapping[str, Extension]) -> dict[str, Any]:
    """The report of a site with one phone, of the same name, for each extension of the *plan*; nobody has read the phones."""
    sites = sites_of({name: {"sip_site": SITE, "sip_pbx": PBX, "sip_extensions": [name], "sip_ports": {name: [port] for name, port in plan.items()}}
                      for name in plan})
    reads = {PBX: {"registrations": [one.as_dict() for one in registrations], "extensions": [one.as_dict() for one in options.values()], "missing": []}}
    report = build_report(sites, {}, reads, now=1)
    VALID.validate(report)
    return report["sites"][0]


@dataclass
class Phone:
    """One phone's part of the world, in order as long as no fault has been at it."""

    name: str
    number: int
    port: int
    variables: dict[str, Any] = field(default_factory=dict)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    option: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    push: dict[str, Any] | None = None
    known_to_pbx: bool = True
    ports: list[int | None] = field(default_factory=list)       # of the plan, where it has more than one line

    @property
    def extension(self) -> str:
        return f"x{self.number}"

    @property
    def contact(self) -> dict[str, Any]:
        return self.contacts[0]

    def moved_to(self, port: int, setting: bool = True) -> None:
        """Signals from *port*, as a phone that was never given its own."""
        self.contact.update(claimed_port=port, seen_port=port)
        if setting:
            self.state["settings"]["lines"][0]["local_port"] = port


def phone(number: int, port: int) -> Phone:
    name = f"phone{number}"
    one = Phone(name, number, port)
    one.variables = {"sip_site": SITE, "sip_pbx": PBX, "sip_extensions": [one.extension]}
    one.contacts = [contact(one.extension, number, port)]
    one.option = {"extension": one.extension, "rewrite_contact": True}
    one.state = {
        "state": "in_order", "code": "", "msg": "", "further": {}, "port_scope": "line", "provisioning": {}, "default_password": False,
        "settings": {"random_port": False, "lines": [{"line": 1, "local_port": port}]},
        "identity": {"brand": "yealink", "model": "T46S", "firmware": "1", "mac": ""}}
    return one


def contact(extension: str, number: int, port: int, agent: str = "Yealink SIP-T46S 66.86.0.15") -> dict[str, Any]:
    inside = f"192.168.{number // 250}.{number % 250 + 1}"
    return {"extension": extension, "claimed_address": inside, "claimed_port": port, "seen_address": HERE, "seen_port": port, "transport": "udp",
            "user_agent": agent, "status": "reachable", "expires": NOW + 600, "seen_is_source": True}


Told = list[tuple[str, str, str, int]]          # (code, severity, phone, line)


def wrong_port(one: Phone) -> Told:
    one.moved_to(one.port + 1)
    return [("wrong_port", "error", one.name, 1)]


def restart_missing(one: Phone) -> Told:
    one.moved_to(one.port + 1, setting=False)
    return [("wrong_port", "error", one.name, 1)]


def random_port(one: Phone) -> Told:
    one.moved_to(40001 + 2 * one.number)
    one.state["settings"]["random_port"] = True
    return [("random_port", "error", one.name, 1)]


def random_port_on(one: Phone) -> Told:
    one.state["settings"]["random_port"] = True
    return [("random_port_on", "warning", one.name, 0)]


def wrong_setting(one: Phone) -> Told:
    one.state["settings"]["lines"][0]["local_port"] = one.port + 1
    return [("wrong_setting", "warning", one.name, 1)]


def stun(one: Phone) -> Told:
    one.contact.update(claimed_address=HERE, claimed_port=30000 + one.number, seen_port=30000 + one.number)
    return [("alg_or_stun", "warning", one.name, 1)]


def claim_unseen(one: Phone) -> Told:
    """A PBX that shows one port, and the phone was not read."""
    one.contact.update(claimed_port=0, claimed_address="", seen_port=one.port + 1)
    _unread(one, "deferred", "offline", "no answer")
    return [("other_port_seen", "warning", one.name, 1), ("deferred", "warning", one.name, 0)]


def no_claim(one: Phone) -> Told:
    """The same, with the phone's own setting: it is the phone."""
    one.contact.update(claimed_port=0, claimed_address="")
    one.moved_to(one.port + 1)
    one.contact["claimed_port"] = 0
    return [("wrong_port", "error", one.name, 1)]


def not_registered(one: Phone) -> Told:
    one.contacts.clear()
    return [("not_registered", "warning", one.name, 1)]


def expired(one: Phone) -> Told:
    one.contact["expires"] = NOW - 1
    return [("not_registered", "warning", one.name, 1)]


def unknown_extension(one: Phone) -> Told:
    one.contacts.clear()
    one.known_to_pbx = False
    return [("unknown_extension", "error", one.name, 1)]


def unverified_nat(one: Phone) -> Told:
    """No rewriting, and what the phone says of itself is public: it may be right."""
    one.option["rewrite_contact"] = False
    one.contact.update(seen_is_source=False, claimed_address=f"192.168.9.{one.number % 250}", seen_address="203.0.113.77")
    return [("unverified_nat", "warning", one.name, 1)]


def registered_before(one: Phone) -> Told:
    one.contact.update(seen_address=one.contact["claimed_address"], status="unreachable", seen_is_source=False)
    return [("registered_before", "warning", one.name, 1)]


def second_device(one: Phone) -> Told:
    one.contacts.append({**contact(one.extension, one.number, 52001 + 2 * one.number, "MicroSIP/3.21.3"), "claimed_address": "10.9.9.9"})
    return [("unmanaged", "info", one.name, 1)]


def provisioning_server(one: Phone) -> Told:
    one.state["provisioning"] = {"server": "prov.example.net", "protected": False}
    return [("provisioning_server", "info", one.name, 0)]


def protected_from_server(one: Phone) -> Told:
    one.state["provisioning"] = {"server": "prov.example.net", "protected": True}
    return []


def provisioned(one: Phone) -> Told:
    one.state["provisioning"] = {"server": "prov.example.net", "protected": False}
    one.state.update(state="refused", code="provisioned", msg=f"{one.name}: owned.", what=f"{one.name}: owned.")
    return [("provisioned", "error", one.name, 0), *wrong_port(one)]


def reverted(one: Phone) -> Told:
    one.moved_to(one.port + 1)
    one.push = {"before": {"lines": [{"line": 1, "local_port": one.port + 1}]}, "after": {"lines": [{"line": 1, "local_port": one.port}]},
                "time": "2026-11-22T05:00:00Z", "outcome": "moved"}
    one.state["provisioning"] = {"server": "prov.example.net", "protected": False}
    return [("reverted", "error", one.name, 0), ("wrong_port", "error", one.name, 1)]


def kept(one: Phone) -> Told:
    """Pushed, and still there."""
    reverted(one)
    one.moved_to(one.port)
    one.state["provisioning"] = {}
    return []


def default_password(one: Phone) -> Told:
    one.state["default_password"] = True
    return [("default_password", "warning", one.name, 0)]


def further_account(one: Phone) -> Told:
    one.state["further"] = {"2": 5060}          # phone0 has it
    return [("active_account", "error", one.name, 0)]


def _second_line(one: Phone, port: int | None, seen: int) -> None:
    one.ports = [one.port, port]
    one.variables["sip_extensions"] = [one.extension, f"{one.extension}b"]
    one.contacts.append({**contact(f"{one.extension}b", one.number, seen)})


def second_line_wrong(one: Phone) -> Told:
    """And the first one is right."""
    _second_line(one, one.port + 2, one.port + 3)
    return [("wrong_port", "error", one.name, 2)]


def second_line_fine(one: Phone) -> Told:
    _second_line(one, one.port + 2, one.port + 2)
    return []


def one_port_for_both_lines(one: Phone) -> Told:
    _second_line(one, None, one.port)
    one.state["port_scope"] = "phone"
    one.variables["sip_phone_brand"] = "poly"
    return []


def tcp(one: Phone) -> Told:
    one.contact.update(transport="tcp", seen_port=33000 + one.number)
    return []


def elsewhere(one: Phone) -> Told:
    one.contact["seen_address"] = ELSEWHERE
    return [("unexpected_address", "warning", one.name, 1)]


def _unread(one: Phone, code: str, state: str, text: str) -> None:
    one.state = {"state": state, "code": code, "msg": f"{one.name}: {text}. Do this.", "what": f"{one.name}: {text}.", "remedy": "Do this."}


def refused_by(code: str, severity: str = "error", state: str = "refused") -> Callable[[Phone], Told]:
    def fault(one: Phone) -> Told:
        _unread(one, code, state, code)
        return [(code, severity, one.name, 0)]
    return fault


def not_asked(one: Phone) -> Told:
    one.state = {"state": "not_asked", "code": "", "msg": "it has no sip_phone_password"}
    return []


def nothing(one: Phone) -> Told:
    assert one.contacts
    return []


FAULTS: dict[str, Callable[[Phone], Told]] = {
    "none": nothing,
    **{one.__name__: one for one in (
        wrong_port, restart_missing, random_port, random_port_on, wrong_setting, stun, claim_unseen, no_claim, not_registered, expired, unknown_extension,
        unverified_nat, registered_before, second_device, provisioning_server, protected_from_server, provisioned, reverted, kept, default_password,
        further_account, tcp, elsewhere, not_asked, second_line_wrong, second_line_fine, one_port_for_both_lines)},
    **{code: refused_by(code) for code in (
        "auth_failed", "locked", "identity_mismatch", "certificate_refused", "unsupported", "bad_answer", "session_lost", "error", "device_failed")},
    "offline": refused_by("deferred", "warning", "offline"),
}
SITE_FAULTS = (
    "router", "duplicate", "nat_off", "stale", "softphone", "softphone_on_port", "unknown", "unknown_phone", "unknown_on_port", "lock_nearly_full",
    "lock_phone_gone", "lock_retired", "tls", "pbx_down", "table")


@dataclass
class World:
    phones: list[Phone]
    lock: dict[str, list[int | None]]
    told: Told
    shared: dict[str, Any] = field(default_factory=dict)        # variables of the whole site
    others: list[dict[str, Any]] = field(default_factory=list)  # registrations of nobody's
    softphones: dict[str, dict[str, Any]] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)

    def report(self) -> dict[str, Any]:
        hosts = {one.name: {**one.variables, **self.shared, "sip_ports": self.lock} for one in self.phones}
        hosts |= {name: {**variables, **self.shared, "sip_ports": self.lock} for name, variables in self.softphones.items()}
        reads = {PBX: self.read or {
            "registrations": [contact for one in self.phones for contact in one.contacts] + self.others, "live": True, "shows_ports": True, "as_of": 0,
            "extensions": [one.option for one in self.phones if one.known_to_pbx],
            "missing": [one.extension for one in self.phones if not one.known_to_pbx]}}
        states = {one.name: one.state for one in self.phones} | {name: {"state": "unmanaged", "code": "", "msg": ""} for name in self.softphones}
        report = build_report(
            sites_of(hosts), states, reads, now=NOW, made_by="evenport.sip 0", journal={one.name: one.push for one in self.phones if one.push})
        VALID.validate(report)
        return report["sites"][0]


def world(faults: list[str], site_faults: frozenset[str]) -> World:
    """A site with one phone for each of *faults*, behind eight that are in order and make up the majority of it (or more, with many faults)."""
    good = max(8, len(faults) + 1)
    phones = [phone(number, 5060 + 6 * number) for number in range(good + len(faults))]
    made = World(phones, {}, [])
    made.shared["sip_port_end"] = 5060 + 6 * len(phones) + 200
    for one, fault in zip(phones[good:], faults, strict=True):
        made.told += FAULTS[fault](one)
    made.lock = {one.name: one.ports or [one.port] for one in phones}
    for fault in SITE_FAULTS:
        if fault in site_faults:
            _SITE[fault](made)
    return made


def _router(made: World) -> None:
    for one in made.phones[1:3]:
        one.contact["seen_port"] = 41001 + one.number
    made.told.append(("router_translated", "error", "", 0))


def _duplicate(made: World) -> None:
    for one in made.phones[3:5]:
        one.contact["seen_port"] = 42424
        made.told.append(("duplicate", "error", one.name, 1))


def _nat_off(made: World) -> None:
    one = made.phones[5]
    one.option["rewrite_contact"] = False
    one.contact.update(seen_address=one.contact["claimed_address"], status="unreachable", seen_is_source=False)
    made.told.append(("nat_option_missing", "error", "", 0))


def _stale(made: World) -> None:
    for one in made.phones[6:8]:
        one.contacts.append({**one.contact, "claimed_port": 5061, "seen_port": 5061, "expires": NOW + 10})
    made.told.append(("stale_contact", "info", "", 0))


def _softphone(made: World) -> None:
    made.softphones["mobile"] = {"sip_site": SITE, "sip_pbx": PBX, "sip_extensions": ["m1"], "sip_phone_kind": "softphone"}
    made.others.append({**contact("m1", 200, 50001, "MicroSIP/3.21.3")})


def _softphone_on_port(made: World) -> None:
    """It was there first, so the router gave the phone another port."""
    made.softphones["laptop"] = {"sip_site": SITE, "sip_pbx": PBX, "sip_extensions": ["m2"], "sip_phone_kind": "softphone"}
    (port,) = made.lock["phone7"]
    made.others.append(contact("m2", 201, port, "MicroSIP/3.21.3"))
    made.phones[7].contact["seen_port"] = 40321
    made.told += [("unmanaged_on_planned_port", "error", "laptop", 1), ("port_contested", "warning", "phone7", 1)]


def _unknown(made: World) -> None:
    made.others += [contact("u1", 210, 50011, "MicroSIP/3.21.3"), {**contact("u2", 211, 50013), "seen_address": ELSEWHERE}]
    made.told.append(("unknown_device", "info", "", 0))


def _unknown_phone(made: World) -> None:
    made.others.append(contact("u3", 212, 50015))
    made.told.append(("unknown_device", "warning", "", 0))


def _unknown_on_port(made: World) -> None:
    made.others.append({**contact("u4", 213, 50017, "MicroSIP/3.21.3"), "seen_port": made.lock["phone2"][0]})
    made.told.append(("unmanaged_on_planned_port", "error", "", 0))


def _lock_nearly_full(made: World) -> None:
    end = made.shared["sip_port_end"] = 5060 + 6 * len(made.phones)
    used = {port for ports in made.lock.values() for port in ports}
    made.shared["sip_ports_reserved"] = [port for port in range(5060, end + 2, 2) if port not in used | {5064, 5070}]       # the two below
    made.told.append(("lock_nearly_full", "warning", "", 0))


def _lock_phone_gone(made: World) -> None:
    made.lock["gone"] = [5064]
    made.told.append(("lock_stale", "info", "", 0))


def _lock_retired(made: World) -> None:
    made.shared["sip_ports_retired"] = [5070]
    made.told.append(("lock_stale", "info", "", 0))


def _tls(made: World) -> None:
    """phone0 uses TLS; the web telephone of somebody's laptop sits on the port above its own."""
    made.phones[0].variables["sip_phone_transport"] = "tls"
    made.phones[0].contact.update(transport="tls", claimed_port=5061, seen_port=44444)
    made.softphones["kiosk"] = {"sip_site": SITE, "sip_pbx": PBX, "sip_extensions": ["m3"], "sip_phone_kind": "softphone"}
    made.others.append(contact("m3", 202, 5061, "MicroSIP/3.21.3"))
    made.told.append(("tls_port_taken", "warning", "kiosk", 1))


# Verdicts and devices that only a PBX shows; without it they are not told.
FROM_THE_PBX = frozenset((
    "wrong_port", "random_port", "alg_or_stun", "other_port_seen", "not_registered", "unknown_extension", "unverified_nat", "registered_before",
    "unmanaged", "unexpected_address", "router_translated", "port_contested", "duplicate", "nat_option_missing", "stale_contact",
    "unmanaged_on_planned_port", "unknown_device", "tls_port_taken"))


def _pbx_down(made: World) -> None:
    made.read = {"failed": True, "msg": "connection refused"}
    retired = "sip_ports_retired" in made.shared
    # Of a phone that was read its own setting still shows that it isn't on its port.
    set_wrong = {one.name for one in made.phones
                 for entry in (one.state.get("settings") or {}).get("lines", ()) if entry["local_port"] != one.port}
    randoms = {one.name for one in made.phones if (one.state.get("settings") or {}).get("random_port")}
    stay = [told for told in made.told if told[0] not in FROM_THE_PBX and told[0] not in ("wrong_setting", "random_port_on")]
    if retired:
        stay.remove(("lock_stale", "info", "", 0))
    made.told = [*stay, *(("wrong_setting", "warning", name, 1) for name in set_wrong), *(("random_port_on", "warning", name, 0) for name in randoms),
                 ("pbx_not_read", "error", "", 0)]


def _table(made: World) -> None:
    """The same, exported an hour ago: a retired port may be in use again by now."""
    if made.read:
        return
    made.read = {
        "registrations": [contact for one in made.phones for contact in one.contacts] + made.others, "live": False, "shows_ports": True, "as_of": NOW,
        "extensions": [one.option for one in made.phones if one.known_to_pbx], "missing": [one.extension for one in made.phones if not one.known_to_pbx]}
    if "sip_ports_retired" in made.shared:
        made.told.remove(("lock_stale", "info", "", 0))
    made.told.append(("status_old", "info", "", 0))


_SITE: dict[str, Callable[[World], None]] = {
    "router": _router, "duplicate": _duplicate, "nat_off": _nat_off, "stale": _stale, "softphone": _softphone, "softphone_on_port": _softphone_on_port,
    "unknown": _unknown, "unknown_phone": _unknown_phone, "unknown_on_port": _unknown_on_port, "lock_nearly_full": _lock_nearly_full,
    "lock_phone_gone": _lock_phone_gone, "lock_retired": _lock_retired, "tls": _tls, "pbx_down": _pbx_down, "table": _table}
