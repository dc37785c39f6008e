"""The PBX part of the collection against a real Asterisk on loopback: the traps are real, and what we write works."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import AuthFailed, NotApplied, PermissionMissing, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.ami import AmiClient
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk as Client
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS, Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx
from tests.fakes.asterisk import FakeAsterisk
from tests.lab.processes import until
from tests.lab.sip import register

PHONES = ["101", "102", "103", "104"]
ON = MappingProxyType({"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False})
OFF = {**ON, "rewrite_contact": False, "force_rport": False, "rtp_symmetric": False}
CONTACTS = "PJSIPShowRegistrationInboundContactStatuses"


class Lab:
    """A started Asterisk with four phones, NAT option off, and the collection's view of it."""

    def __init__(self, pbx):
        self.pbx, self.main, self.owned = pbx, pbx.etc / "pjsip.conf", pbx.etc / "pjsip_evenport.conf"
        self.original = self.main.read_bytes()

    def access(self, user="ansible", secret="ami-secret"):
        return Access(self.pbx.ami_host, self.pbx.ami_port, user, secret, timeout=10)

    def config(self):
        return Config("asterisk", self.access())

    def set(self, names, options=ON, user="ansible", secret="ami-secret", **more):
        patience = more.pop("patience", 5)
        with Client(self.access(user, secret)) as client:
            return OwnedFile(Place(str(self.pbx.etc), patience=patience, **more.pop("place", {}))).set(client, Wanted(names, options), **more).as_dict()

    def options(self, name):
        (found,) = read_pbx(self.config(), [name])["extensions"] or [None]
        return found and {option: found[option] for option in NAT_OPTIONS}

    def reloaded(self):
        with Client(self.access()) as client:
            client.reload()

    def register(self, name, via, address="127.0.0.1"):
        """A REGISTER from a real socket whose Via and Contact claim *via*. Returns the source port."""
        return register(("127.0.0.1", self.pbx.sip_port), name, via, address)

    def registrations(self):
        return {one["extension"]: one for one in read_pbx(self.config())["registrations"]}

    def log(self):
        return (self.pbx.home / "log/full").read_text(errors="replace")


@pytest.fixture
def lab(asterisk):
    asterisk.write_config(PHONES, nat_option=False)
    asterisk.start()
    return Lab(asterisk)


def test_check_change_no_change(lab):
    assert lab.set(["101", "102"], check_mode=True)["changed"] and lab.main.read_bytes() == lab.original and not lab.owned.exists()
    assert lab.set(["101", "102"])["changed"]
    assert [lab.options(name) for name in PHONES] == [ON, ON, OFF, OFF]
    assert not lab.set(["101", "102"])["changed"]
    assert lab.set(["101"], None)["extensions"][0]["rewrite_contact"] is False and lab.options("102") == ON
    assert lab.set(["103"], {**ON, "direct_media": True})["changed"] and lab.options("103")["direct_media"] is True


def test_registrations_survive_the_reload_and_a_changed_claim_shows(lab):
    lab.register("101", "192.168.1.50:5062", "127.0.0.2")
    before = lab.registrations()["101"]
    assert (before["claimed_port"], before["seen_address"], before["seen_port"], before["seen_is_source"]) == (5062, "192.168.1.50", 5062, False)
    lab.set(["101"])
    assert lab.registrations()["101"]["claimed_port"] == 5062
    source = lab.register("101", "192.168.1.50:5064", "127.0.0.2")
    after = lab.registrations()["101"]
    assert (after["claimed_address"], after["claimed_port"], after["seen_address"], after["seen_port"]) == ("192.168.1.50", 5064, "127.0.0.2", source)
    assert after["seen_is_source"] and after["user_agent"] == "Test Phone 1.0" and after["transport"] == "udp"
    lab.reloaded()
    assert lab.registrations()["101"] == after


def test_same_host_is_known_as_source_by_the_option(lab):
    lab.set(["101"])
    source = lab.register("101", "127.0.0.2:5062", "127.0.0.2")
    found = lab.registrations()["101"]
    assert (found["claimed_port"], found["seen_port"], found["seen_is_source"]) == (5062, source, True)


def test_cold_start_with_everything_in_place(lab):
    lab.set(PHONES)
    lab.pbx.cold_restart()
    assert [lab.options(name) for name in PHONES] == [ON] * 4
    assert "does not exist" not in lab.log() and not lab.set(PHONES)["changed"]


def test_trap_unknown_section_hides_what_follows(lab):
    lab.set(["101", "103"])
    text = lab.main.read_text()
    lab.main.write_text(text[:text.index("[101]")] + text[text.index("[102]"):])               # somebody deletes extension 101
    lab.pbx.cold_restart()
    assert lab.options("101") is None and lab.options("103") == OFF and "category '101' does not exist" in lab.log()
    assert lab.set(["103"])["pruned"] == ["101"] and lab.options("103") == ON


def test_trap_template_is_not_an_endpoint(lab):
    with pytest.raises(PlanError, match="phone"):
        lab.set(["phone"])


def test_trap_missing_file_after_include_is_an_outage_after_tryinclude_it_is_not(lab):
    lab.set(["101"])
    lab.owned.unlink()
    lab.pbx.cold_restart()
    assert lab.options("101") == OFF
    lab.main.write_text(lab.main.read_text().replace("#tryinclude", "#include"))
    lab.pbx.cold_restart()
    assert "No objects found" in lab.pbx.rx("pjsip show endpoints")
    lab.main.write_bytes(lab.original)
    lab.pbx.cold_restart()
    assert lab.set(["101"])["changed"] and lab.options("101") == ON


def test_trap_updateconfig_on_the_parent_destroys_the_file(lab):
    lab.set(["101"])
    client = AmiClient(lab.access())
    client.call("UpdateConfig", {"SrcFilename": "pjsip.conf", "DstFilename": "pjsip.conf", "Action-000000": "Append", "Cat-000000": "global",
                                 "Var-000000": "debug", "Value-000000": "no"})
    client.close()
    assert "(+type=endpoint)" not in lab.owned.read_text()
    lab.reloaded()
    assert until(lambda: lab.options("101") != ON, 5)                                          # silently off
    with pytest.raises(Unsupported, match="UpdateConfig"):
        lab.set(["101"])
    done = lab.set(["101"], place={"allow_generated": True})
    assert done["drift"] and lab.options("101") == ON
    lab.pbx.cold_restart()
    assert [lab.options(name) for name in PHONES] == [ON, OFF, OFF, OFF]


def test_a_later_section_wins_so_everything_is_put_back(lab):
    late = lab.pbx.etc / "pjsip_late.conf"
    late.write_text("[102](+type=endpoint)\nrewrite_contact=no\n")
    lab.set(["103"])
    before = lab.main.read_bytes(), lab.owned.read_bytes()
    # Our include is the last line, so nothing can come later by itself: somebody's script adds it just before the reload.
    with Client(lab.access()) as client:
        real = client.reload

        def reload():
            if "[102]" in lab.owned.read_text():
                with open(lab.owned, "a", encoding="utf-8") as file:
                    file.write("#include pjsip_late.conf\n")
            real()
        client.reload = reload
        with pytest.raises(NotApplied, match="extension 102 .*as they were"):
            OwnedFile(Place(str(lab.pbx.etc), patience=1)).set(client, Wanted(["102"], ON))
    assert (lab.main.read_bytes(), lab.owned.read_bytes()) == before and lab.options("102") == OFF and lab.options("103") == ON


def test_an_endpoint_that_no_file_defines_is_named(asterisk):
    """Endpoints in Asterisk's own database (astdb), as in a realtime PBX: listed, but a section in a file can't add to them."""
    asterisk.write_config(PHONES, nat_option=False)
    (asterisk.etc / "sorcery.conf").write_text("[res_pjsip]\nendpoint=config,pjsip.conf,criteria=type=endpoint\nendpoint=astdb,ps_endpoints\n")
    asterisk.start()
    lab = Lab(asterisk)
    asterisk.rx('database put ps_endpoints/endpoint 100 {\\"context\\":\\"phones\\",\\"disallow\\":\\"all\\",\\"allow\\":\\"(ulaw)\\"}')
    with Client(lab.access()) as client:
        assert "100" in client.endpoints()
        assert client.has_section("pjsip.conf", "100") is False and client.has_section("pjsip.conf", "101") is True
    with pytest.raises(NotApplied, match="defines no endpoint 100"):
        lab.set(["100", "101"], patience=1)
    assert lab.main.read_bytes() == lab.original and not lab.owned.exists() and lab.options("101") == OFF


def test_wrong_secret_is_asked_once(lab):
    with pytest.raises(AuthFailed):
        lab.set(["101"], secret="wrong")
    assert until(lambda: "failed to authenticate" in lab.log(), 5) and lab.log().count("failed to authenticate as 'ansible'") == 1


def test_permissions(lab):
    """``system`` is the least; Asterisk lets it reload too (Reload takes system or config). Without it nothing can even be read."""
    assert lab.set(["101"], user="audit", secret="audit-secret")["changed"] and lab.options("101") == ON
    with pytest.raises(PermissionMissing, match="class system"):
        lab.set(["102"], user="weak", secret="weak-secret")
    assert lab.options("102") == OFF


def test_no_secret_comes_out(lab):
    lab.register("101", "192.168.1.50:5062")
    everything = repr((lab.set(["101", "102"]), read_pbx(lab.config(), PHONES, {"101": 5062}, 5)))
    assert "pw10" not in everything and "ami-secret" not in everything


def test_waiting(lab):
    lab.register("101", "192.168.1.50:5062")
    result = read_pbx(lab.config(), (), {"101": 5062, "102": 5064}, 0.5)
    assert result["not_shown"] == ["102"] and result["planned"][0]["shown"] and result["version"].startswith("22.")


def test_empty_pbx(lab):
    assert lab.registrations() == {}


def test_the_fake_speaks_like_the_real_one(lab):
    """The same files and the same phone: every field that the fake sends exists in the real answer."""
    lab.set(["101"])
    lab.register("101", "192.168.1.50:5062")
    with FakeAsterisk(lab.pbx.etc) as fake:
        assert fake.register("101", "192.168.1.50", 5062, "127.0.0.1", 40000)
        answers = []
        for access in (lab.access(), Access("127.0.0.1", fake.port, "evenport", "ami-secret")):
            client = AmiClient(access)
            answers.append([client.listing(CONTACTS), client.listing("PJSIPShowContacts"), client.listing("PJSIPShowEndpoints"),
                            client.listing("PJSIPShowEndpoint", {"Endpoint": "101"}), [client.call("CoreSettings")]])
            client.close()
    for real, faked in zip(*answers, strict=True):
        assert [event.get("event") for event in real] == [event.get("event") for event in faked]
        for one, other in zip(real, faked, strict=True):
            assert set(other) <= set(one)
