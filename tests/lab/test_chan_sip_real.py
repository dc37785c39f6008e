"""What a real Asterisk 16 with chan_sip says and does: the facts that the chan_sip driver rests on."""

from __future__ import annotations

import hashlib
import re
import select
import socket
import subprocess

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient, AmiRefused
from tests.lab.asterisk import Asterisk
from tests.lab.processes import until

PHONES = ["101", "102", "103", "109"]                           # 109 is there to tell when a reload is done
NAT = "nat = force_rport,comedia\ndirectmedia = no\n"
ON, OFF, AUTO = ("Y", "Y", "N"), ("N", "N", "Y"), ("a", "N", "Y")              # as Lab.options() gives them


class Lab:
    """A started chan_sip PBX whose sip.conf ends in an optional include, and a manager client."""

    def __init__(self, pbx, nat_option="no", phones=None, include="#tryinclude", also="", **more):
        self.pbx, self.main, self.owned, self.reloads = pbx, pbx.etc / "sip.conf", pbx.etc / "sip_evenport.conf", 0
        pbx.write_config(PHONES if phones is None else phones, nat_option, **more)
        self.main.write_text(f"{self.main.read_text()}\n{also}\n{include} sip_evenport.conf\n")
        pbx.start()

    def ask(self, action, user="ansible", secret="ami-secret", **fields):
        """The response's fields, in lower case; of a list its events."""
        client = AmiClient(Access(self.pbx.ami_host, self.pbx.ami_port, user, secret, timeout=10))
        try:
            return client.listing(action) if action == "SIPpeers" else client.call(action, fields)
        finally:
            client.close()

    def peer(self, name):
        return self.ask("SIPshowpeer", Peer=name)

    def options(self, name):
        found = self.peer(name)
        return found["sip-forcerport"], found["sip-comedia"], found["sip-directmedia"]

    def address(self, name):
        found = self.peer(name)
        return found["address-ip"], int(found["address-port"]), found["reg-contact"]

    def own(self, text):
        """Write the included file, reload, wait until its last effect shows."""
        self.reloads += 1
        self.owned.write_text(f"[109](+)\ndescription = reload {self.reloads}\n{text}")
        assert self.ask("Reload", Module="chan_sip.so")["message"] == "Module Reloaded"
        assert until(lambda: self.peer("109")["description"] == f"reload {self.reloads}", 10)

    def restart(self):
        self.pbx.stop()
        self.pbx.start()

    def log(self):
        return (self.pbx.home / "log/full").read_text(errors="replace")

    def register(self, name, contact, host="192.168.1.50", rport=True, expires=300, user_agent="Test Phone 1.0"):
        """A REGISTER from 127.0.0.2, whose Via claims *host* and another port. Returns (source port, Via's port)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as claimed:
            for each in (source, claimed):
                each.bind(("127.0.0.2", 0))
            here, via = (each.getsockname()[1] for each in (source, claimed))
            proof: list[str] = []
            for number in (1, 2):
                lines = ["REGISTER sip:127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP {host}:{via}{';rport' if rport else ''};branch=z9hG4bK{via}{number}",
                         f"From: <sip:{name}@127.0.0.1>;tag=a{via}", f"To: <sip:{name}@127.0.0.1>", f"Call-ID: {via}{here}", f"CSeq: {number} REGISTER",
                         "Max-Forwards: 70", f"Contact: <sip:{name}@{contact}>", f"User-Agent: {user_agent}", f"Expires: {expires}", *proof,
                         "Content-Length: 0", "", ""]
                source.sendto("\r\n".join(lines).encode(), ("127.0.0.1", self.pbx.sip_port))
                answer = _final_answer(source, claimed)
                if answer.startswith("SIP/2.0 200"):
                    return here, via
                realm, nonce = (re.search(rf'{key}="([^"]+)"', answer)[1] for key in ("realm", "nonce"))
                first, second = (_md5(text) for text in (f"{name}:{realm}:pw{name}", "REGISTER:sip:127.0.0.1"))
                proof = [f'Authorization: Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="sip:127.0.0.1", algorithm=MD5, '
                         f'response="{_md5(f"{first}:{nonce}:{second}")}"']
            raise AssertionError(answer.split("\r\n", maxsplit=1)[0])


def _final_answer(*sockets):
    messages = (_message(sockets) for dummy in range(10))
    return next(message for message in messages if re.match(r"SIP/2\.0 [2-6]", message))


def _message(sockets):
    ready = select.select(sockets, [], [], 5)[0]
    assert ready, "no answer to REGISTER"
    return ready[0].recv(65536).decode()


def _md5(text):
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_what_runs(chan_sip):
    lab = Lab(chan_sip)
    assert lab.ask("CoreSettings")["asteriskversion"].startswith("16.28.")
    with pytest.raises(Unsupported):
        lab.ask("PJSIPShowEndpoints")
    assert "ERROR" not in lab.log()


def test_the_pbxs_own_python(chan_sip):
    code = "import json, ssl, socket, dataclasses, sqlite3, subprocess, sys; print(sys.executable); " \
           "print(subprocess.check_output([sys.executable, '-c', 'import sys, ssl; print(sys.version_info[:2])'], text=True))"
    said = subprocess.run([chan_sip.python, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert said.stdout.split("\n")[:2] == [str(chan_sip.python), "(3, 9)"]


# -- reading ----------------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("nat_option", "options", "shown"), [
    ("no", OFF, ("no", "no", "no", "no")),
    ("force_rport,comedia", ("Y", "Y", "Y"), ("no", "yes", "no", "yes")),
    ("yes", ("Y", "Y", "Y"), ("no", "yes", "no", "yes")),
    ("auto_force_rport,auto_comedia", ("A", "A", "Y"), ("yes", "yes", "yes", "yes")),
    (None, ("A", "N", "Y"), ("yes", "yes", "no", "no")),
])
def test_a_registered_peer(chan_sip, nat_option, options, shown):
    lab = Lab(chan_sip, nat_option)
    source, dummy = lab.register("101", "192.168.1.50:5062")
    found = lab.peer("101")
    assert (found["response"], found["objectname"], found["sip-useragent"], found["dynamic"]) == ("Success", "101", "Test Phone 1.0", "Y")
    assert lab.address("101") == ("127.0.0.2", source, "sip:101@192.168.1.50:5062") and lab.options("101") == options
    assert 300 < int(found["regexpire"].split(" seconds")[0]) <= 310             # ten seconds longer than the phone was told
    entry = next(one for one in lab.ask("SIPpeers") if one["objectname"] == "101")
    assert (entry["ipaddress"], entry["ipport"], entry["status"]) == ("127.0.0.2", str(source), "Unmonitored")
    assert tuple(entry[name] for name in ("autoforcerport", "forcerport", "autocomedia", "comedia")) == shown


def test_without_rport_the_contact_is_all_that_is_known(chan_sip):
    lab = Lab(chan_sip, "no")
    lab.register("101", "192.168.1.50:5062", rport=False)
    assert lab.address("101") == ("192.168.1.50", 5062, "sip:101@192.168.1.50:5062")


def test_with_force_rport_the_source_is_known_without_rport_too(chan_sip):
    lab = Lab(chan_sip, "force_rport")
    source, dummy = lab.register("101", "192.168.1.50:5062", rport=False)
    assert lab.address("101") == ("127.0.0.2", source, "sip:101@192.168.1.50:5062") and lab.options("101") == ("Y", "N", "Y")


def test_auto_looks_at_the_host_that_via_claims_and_not_at_its_port(chan_sip):
    lab = Lab(chan_sip, None)
    assert lab.options("101") == AUTO
    source, dummy = lab.register("101", "127.0.0.2:5062", host="127.0.0.2")
    assert lab.options("101") == AUTO and lab.address("101")[1] == source
    lab.register("102", "192.168.1.51:5064", rport=False)
    assert lab.options("102") == ("A", "N", "Y") and lab.address("102")[0] == "127.0.0.2"


def test_vias_port_is_shown_nowhere(chan_sip):
    lab = Lab(chan_sip)
    dummy, via = lab.register("101", "192.168.1.50:5062")
    everything = f"{lab.peer('101')}{lab.ask('SIPpeers')}" + "".join(chan_sip.rx(f"sip show {what}") for what in ("peer 101", "peers", "registry"))
    stored = chan_sip.rx("database show SIP")
    assert re.search(r"/SIP/Registry/101 +: 127\.0\.0\.2:\d+:300:101:sip:101@192\.168\.1\.50:5062\n", stored)
    assert "5062" in everything and str(via) not in everything + stored


def test_unregistered_and_unknown(chan_sip):
    lab = Lab(chan_sip)
    assert lab.address("101") == ("(null)", 0, "") and lab.peer("101")["regexpire"] == "-1 seconds"
    assert {(one["ipaddress"], one["ipport"]) for one in lab.ask("SIPpeers")} == {("-none-", "0")}
    for name in ("999", "phone"):                                                # a template is no peer
        with pytest.raises(AmiRefused) as refused:
            lab.peer(name)
        assert refused.value.message == f"Peer {name} not found."
    lab.register("101", "192.168.1.50:5062")
    lab.register("101", "192.168.1.50:5062", expires=0)
    found = lab.peer("101")                                                      # the address is gone, the rest is left
    assert lab.address("101") == ("(null)", 0, "sip:101@192.168.1.50:5062") and found["sip-useragent"] == "Test Phone 1.0"
    assert found["regexpire"] == "-1 seconds" and lab.ask("SIPpeers")[0]["ipaddress"] == "-none-"


def test_no_peers_and_no_chan_sip(chan_sip):
    lab = Lab(chan_sip, phones=[])
    assert lab.ask("SIPpeers") == []
    chan_sip.rx("module unload chan_sip.so")
    for action in ("SIPpeers", "SIPshowpeer"):
        with pytest.raises(Unsupported):
            lab.ask(action)
    with pytest.raises(AmiRefused, match="No such module"):
        lab.ask("Reload", Module="chan_sip.so")


def test_secrets(chan_sip):
    """Neither answer holds one. GetConfig and "sip show users" do."""
    lab = Lab(chan_sip)
    lab.register("101", "192.168.1.50:5062")
    found = lab.peer("101")
    assert (found["secretexist"], found["md5secretexist"], found["remotesecretexist"]) == ("Y", "N", "N")
    assert "pw101" not in f"{found}{lab.ask('SIPpeers')}{chan_sip.rx('sip show peer 101')}"
    assert "pw101" in f"{lab.ask('GetConfig', Filename='sip.conf', Category='101')}" and "pw101" in chan_sip.rx("sip show users")


def test_permissions(chan_sip):
    """system reads and reloads; reporting reads (elsewhere it reads nothing)."""
    lab = Lab(chan_sip)
    audit, weak = ({"user": name, "secret": f"{name}-secret"} for name in ("audit", "weak"))
    assert len(lab.ask("SIPpeers", **audit)) == len(lab.ask("SIPpeers", **weak)) == len(PHONES)
    assert lab.ask("SIPshowpeer", Peer="101", **weak)["objectname"] == "101"
    assert lab.ask("Reload", Module="chan_sip.so", **audit)["message"] == "Module Reloaded"
    with pytest.raises(PermissionMissing):
        lab.ask("Reload", Module="chan_sip.so", **weak)


def test_status(chan_sip):
    lab = Lab(chan_sip, qualify="yes\nqualifyfreq = 1")
    assert lab.peer("101")["status"] == "UNKNOWN"
    lab.register("101", "192.168.1.50:5062")
    assert until(lambda: lab.peer("101")["status"] == "UNREACHABLE", 15)          # nobody answers its OPTIONS; the address stays
    assert lab.address("101")[0] == "127.0.0.2"


# -- an included file of our own --------------------------------------------------------------------------------------------------------
def test_our_section_adds_to_the_peer_and_registrations_survive(chan_sip):
    lab = Lab(chan_sip)
    places = {}
    for name in ("101", "102"):
        lab.register(name, "192.168.1.50:5062")
        places[name] = lab.address(name)
    lab.own(f"[101](+)\n{NAT}")
    assert [lab.options(name) for name in ("101", "102")] == [ON, OFF]
    assert {name: lab.address(name) for name in places} == places and lab.peer("101")["sip-useragent"] == "Test Phone 1.0"
    lab.restart()
    assert {name: lab.address(name) for name in places} == places and [lab.options(name) for name in ("101", "102")] == [ON, OFF]
    assert lab.peer("101")["sip-useragent"] == "" and "PLEASE NOTE: Setting 'nat' for a peer/user that differs" in lab.log()
    lab.own("")
    assert lab.options("101") == OFF and lab.address("101") == places["101"]


def test_expiry_is_counted_anew_from_a_reload(chan_sip):
    """So "still registered" says little on a PBX that was just reloaded."""
    lab = Lab(chan_sip)
    lab.register("101", "192.168.1.50:5062")

    def left():
        return int(lab.peer("101")["regexpire"].split()[0])
    assert until(lambda: left() <= 306, 15)
    lab.own("")
    assert left() > 306


def test_the_option_shows_before_the_source_does(chan_sip):
    """Registered without rport, then the option on: what is shown stays the Contact until the phone registers again."""
    lab = Lab(chan_sip)
    lab.register("101", "192.168.1.50:5062", rport=False)
    lab.own(f"[101](+)\n{NAT}")
    assert lab.options("101") == ON and lab.address("101")[:2] == ("192.168.1.50", 5062)
    source, dummy = lab.register("101", "192.168.1.50:5062", rport=False)
    assert lab.address("101")[:2] == ("127.0.0.2", source)


def test_trap_unknown_section_or_template_hides_what_follows(chan_sip):
    lab = Lab(chan_sip)
    for name in ("999", "phone"):
        lab.own(f"[102](+)\n{NAT}[{name}](+)\n{NAT}[101](+)\n{NAT}")
        assert [lab.options(each) for each in ("102", "101")] == [ON, OFF] and f"category '{name}' does not exist" in lab.log()
    lab.restart()
    assert [lab.options(each) for each in ("102", "101")] == [ON, OFF] and len(lab.ask("SIPpeers")) == len(PHONES)


@pytest.mark.parametrize(("condition", "options"), [("type=friend", ON), ("type=peer", OFF)])
def test_a_condition_is_known_and_sees_the_templates_type(chan_sip, condition, options):
    lab = Lab(chan_sip)
    lab.own(f"[101](+{condition})\n{NAT}")
    assert lab.options("101") == options


def test_trap_missing_file_after_include_is_an_outage_after_tryinclude_it_is_not(chan_sip):
    lab = Lab(chan_sip)
    assert lab.options("101") == OFF
    lab.main.write_text(lab.main.read_text().replace("#tryinclude", "#include"))
    assert lab.ask("Reload", Module="chan_sip.so")["message"] == "Module Reloaded"              # says so, and keeps what it has
    assert until(lambda: "Contents of sip.conf are invalid" in lab.log(), 10) and lab.options("101") == OFF
    lab.restart()
    assert "chan_sip declined to load" in lab.log()
    with pytest.raises(Unsupported):
        lab.ask("SIPpeers")


@pytest.mark.parametrize(("before", "ours", "options"), [
    ("nat = no\ndirectmedia = yes", NAT, ON),                                                    # the last one wins over the peer's own
    ("nat = force_rport,comedia\ndirectmedia = no", "nat = no\ndirectmedia = yes\n", OFF),
    ("nat = comedia", "nat = force_rport\n", ("Y", "Y", "Y")),                                   # but: two lines add up, only "no" clears
    ("nat = comedia", "nat = no\nnat = force_rport\n", ("Y", "N", "Y")),
    ("nat = force_rport,comedia", "nat = auto_force_rport,auto_comedia\n", ("a", "a", "Y")),     # "auto" replaces what it stands for
    ("nat = auto_force_rport,auto_comedia", NAT, ("a", "a", "N")),                               # so this would not turn it on:
    ("nat = auto_force_rport,auto_comedia", f"nat = no\n{NAT}", ON),                             # "no" first does, whatever was there
    ("nat = force_rport", f"nat = no\n{NAT}", ON),
    ("nat = no", f"nat = no\n{NAT}", ON),
    ("directmedia = no", "canreinvite = yes\n", OFF),                                            # the old name of the same option
    ("directmedia = no", "directmedia = nonat\n", OFF),                                          # shown as Y too
])
def test_which_line_wins(chan_sip, before, ours, options):
    lab = Lab(chan_sip, also=f"[110](phone)\nsecret = pw110\n{before}")
    lab.own(f"[110](+)\n{ours}")
    assert lab.options("110") == options


def test_the_global_option_counts_where_the_peer_says_nothing(chan_sip):
    lab = Lab(chan_sip, "force_rport,comedia", also="[110](phone)\nnat = no")
    assert [lab.options(name) for name in ("101", "110")] == [("Y", "Y", "Y"), OFF]
    lab.own("[110](+)\nnat = comedia\n")
    assert lab.options("110") == ("N", "Y", "Y")


def test_peers_of_other_files(chan_sip):
    """A peer of an included file can be added to. Not one of users.conf, which is shown among the peers all the same."""
    lab = Lab(chan_sip, also="#include sip_more.conf")
    (chan_sip.etc / "sip_more.conf").write_text("[110]\ntype = friend\nhost = dynamic\n")
    (chan_sip.etc / "users.conf").write_text("[general]\nhost = dynamic\n[120]\nhassip = yes\n")
    lab.restart()
    assert {"110", "120"} <= {one["objectname"] for one in lab.ask("SIPpeers")}
    lab.own(f"[110](+)\n{NAT}")
    assert lab.options("110") == ON
    lab.own(f"[120](+)\n{NAT}")
    assert lab.options("120") == OFF and "category '120' does not exist" in lab.log()


def test_trap_updateconfig_on_the_parent_destroys_the_file(chan_sip):
    lab = Lab(chan_sip)
    lab.own(f"[101](+)\n{NAT}")
    lab.ask("UpdateConfig", **{"SrcFilename": "sip.conf", "DstFilename": "sip.conf", "Action-000000": "Append", "Cat-000000": "general",
                               "Var-000000": "maxexpiry", "Value-000000": "3000"})
    assert "(+)" not in lab.owned.read_text() and '#include "sip_evenport.conf"' in lab.main.read_text()


# -- PJSIP on the same release ----------------------------------------------------------------------------------------------------------
def test_pjsip_of_asterisk_16_knows_the_list_of_registrations(lab_tree16, chan_sip):
    pbx = Asterisk(lab_tree16, chan_sip.home)
    pbx.write_config(["101"], nat_option=True)
    pbx.start()
    try:
        client = AmiClient(Access(pbx.ami_host, pbx.ami_port, pbx.ami_user, pbx.ami_secret, timeout=10))
        assert client.listing("PJSIPShowRegistrationInboundContactStatuses") == []
        assert client.listing("PJSIPShowEndpoint", {"Endpoint": "101"})[0]["rewritecontact"] == "true"
        client.close()
    finally:
        pbx.stop()
