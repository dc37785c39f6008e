"""Every answer captured from a real Asterisk behind real routers goes the whole way: socket, client, registrations, report. Each gets its right cause."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import cli
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk, registration_from
from tests.fakes.ami_replay import Replay
from tests.unit.plugins.module_utils.audit.truth import report_of

DATA = Path(__file__).parents[3] / "data"
CONTACTS = "PJSIPShowRegistrationInboundContactStatuses"
EVEN = {"101": 5060, "102": 5062, "103": 5064, "104": 5066}
ALL = ("101", "102", "103", "104")


def access(server):
    return Access("127.0.0.1", server.port, "ansible", "secret", timeout=5)


def registrations(name):
    with Replay(DATA / f"ami/{name}.txt") as server:
        client = AmiClient(access(server))
        found = [registration_from(event) for event in client.listing(CONTACTS)]
        client.close()
    return found


def judged(found, nat=True, plan=None):
    """(verdict of each extension, [(code, severity, extensions)] of the findings) of a site with one phone for each extension of the *plan*."""
    options = {name: nat if isinstance(nat, Extension) else Extension(name, rewrite_contact=nat) for name in plan or EVEN}
    site = report_of(plan or EVEN, found, options)
    told = [(f["code"], f["severity"], [f["phone"]] if f["phone"] else [re.sub(".*/(.*) line 1", r"\1", name) for name in f["lines"]])
            for f in site["findings"]]
    return [line["verdict"] for line in site["lines"]], told


# sample -> NAT option, plan (of the ports that its phones were set to), verdicts, findings
EXPECTED = {
    "contacts-nat-on-even-ports": (True, EVEN, ["ok"] * 4, []),
    "contacts-nat-off-even-ports": (False, EVEN, ["nat_option_missing"] * 4, [("nat_option_missing", "error", [*ALL])]),
    "contacts-nat-on-router-translates": (True, EVEN, ["router_translated"] * 4, [("router_translated", "error", [*ALL])]),
    # An ordinary router, all phones on 5060: three signal from the wrong port; 101 was first and has its own.
    "contacts-nat-on-all-5060": (True, EVEN, ["ok", *["wrong_port"] * 3], [("wrong_port", "error", [name]) for name in ALL[1:]]),
    "contacts-nat-on-all-5060-overload-router": (True, EVEN, ["duplicate"] * 4, [("duplicate", "error", [name]) for name in ALL]),
    # The ALG keeps the ports: nothing is wrong with them, and no router is accused.
    "contacts-nat-off-sip-alg": (False, EVEN, ["ok"] * 4, []),
    "contacts-nat-on-random-local-port": (True, EVEN, ["random_port"] * 4, [("random_port", "error", [name]) for name in ALL]),
    "contacts-tcp": (True, EVEN, ["ok"] * 4, []),
    "contacts-stale-contact": (True, {"101": 5062, "102": 5068}, ["ok", "ok"], [("stale_contact", "info", ["102"])]),
    CONTACTS: (True, EVEN, ["ok"] * 4, []),             # qualify is off there: nobody knows who can be reached
    "no-contacts": (True, EVEN, ["not_registered"] * 4, [("not_registered", "warning", [name]) for name in ALL]),
}


def test_no_sample_is_left_out():
    assert {path.stem.removeprefix("ami-") for path in (DATA / "ami").glob("ami-*ontacts*.txt")} - {"PJSIPShowContacts"} - set(EXPECTED) == set()
    assert len(EXPECTED) == 11


@pytest.mark.parametrize("name", EXPECTED)
def test_every_sample_gets_its_right_cause(name):
    nat, plan, verdicts, findings = EXPECTED[name]
    assert judged(registrations(f"ami-{name}"), nat, plan) == (verdicts, findings)


def test_the_alg_that_keeps_ports_is_seen_to_once_it_keeps_them_no_longer():
    """As the sample, but the ports are not those of the plan: the phones' own can't be seen, and it is the router that hides them, once."""
    verdicts, findings = judged(registrations("ami-contacts-nat-off-sip-alg"), False, {name: port + 20 for name, port in EVEN.items()})
    assert (verdicts, findings) == (["alg_or_stun"] * 4, [("alg_or_stun", "warning", [*ALL])])


def test_a_nat_option_that_a_real_endpoint_shows_off_is_named():
    """Options and registrations both as captured."""
    with Replay(DATA / "ami/ami-PJSIPShowEndpoint-nat-off.txt") as server, Asterisk(access(server)) as pbx:
        (option,) = pbx.extensions(["102"])
    mine = [one for one in registrations("ami-contacts-nat-off-even-ports") if one.extension == "102"]
    assert judged(mine, option, {"102": 5062}) == (["nat_option_missing"], [("nat_option_missing", "error", ["102"])])


def test_the_command_lines_registrar_says_the_same_as_the_manager_interface():
    text = (DATA / "cli/cli-database-show-registrar.txt").read_text("utf-8")
    found = [registration_from(packet) for packet in cli.parse_registrar(text)]
    assert judged(found) == (["ok"] * 4, [])


def matrix():
    """Router and the phones' ports -> what Asterisk saw: eight phones."""
    text = (DATA / "ami/contacts-matrix.txt").read_text("utf-8")
    return [(title, re.findall(r"(\d+) ([\d.]+):(\d+);", row)) for title, row in re.findall(r"== (.*)\n(.*)\n", text)]


@pytest.mark.parametrize(("title", "rows"), matrix(), ids=[title for title, rows in matrix()])
def test_what_eight_phones_look_like_behind_each_router(title, rows):
    router, way, _ports = title.split()
    plan = {extension: 5060 + 2 * number for number, (extension, unused, unused) in enumerate(rows)}
    found = [Registration(extension, f"192.168.1.{extension}", plan[extension] if way == "unique" else 5060, address, int(port), user_agent="baresip v1.1.0",
                          status="reachable", seen_is_source=True) for extension, address, port in rows]
    verdicts, findings = judged(found, True, plan)
    if way == "unique" and router != "random":
        assert (set(verdicts), findings) == ({"ok"}, [])
    elif way == "unique":
        assert (set(verdicts), findings) == ({"router_translated"}, [("router_translated", "error", list(plan))])
    else:       # the first one's port is right; where the router gave it another, the phones are to blame as far as anybody can tell
        first = "ok" if rows[0][2] == "5060" else "port_contested"
        assert verdicts == [first, *["wrong_port"] * 7]
        assert [code for code, dummy, dummy in findings] == ["wrong_port"] * 7 + ["port_contested"] * (first != "ok")
