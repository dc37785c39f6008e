"""chan_sip on a real Asterisk 16.28: the contract, what we write over whatever was there, and the modules on the Python 3.9 of such a PBX."""

from __future__ import annotations

import ast
import json
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.audit.verdict import judge_lines
from ansible_collections.evenport.sip.plugins.module_utils.errors import NotApplied, PermissionMissing, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.model import Extension, Line, Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NAT_OPTIONS, Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import read_pbx, set_nat
from tests.lab import asterisk16
from tests.lab.processes import until
from tests.lab.test_chan_sip_real import OFF, ON, Lab
from tests.playbook import run_playbook
from tests.unit.plugins.module_utils.pbx.pbx_contract import EXTENSIONS, NatContract, Rig
from tests.unit.plugins.module_utils.pbx.pbx_contract import ON as WANTED

NONE = {**dict.fromkeys(WANTED, False), "direct_media": True}
# What a peer may have had before, in all the ways that add up, win or lose: name -> the rest of its section.
BEFORE = {
    "110": "(phone)\nnat=no",
    "111": "(phone)\nnat=auto_force_rport,auto_comedia",
    "112": "(auto)",
    "113": "(auto)\nnat=comedia\ncanreinvite=yes",
    "114": "(yes)\ndirectmedia=no",
    "115": "(yes)\nnat=no\ncanreinvite=nonat",
    "116": "(phone)\nnat=comedia",
    "4540r": "(phone,auto)",
    "a.b-c": "(phone)",
}
TEMPLATES = "[auto](!,phone)\nnat=auto_force_rport,auto_comedia\ncanreinvite=yes\n[yes](!,phone)\nnat=yes\ncanreinvite=yes\n"


def with_peers(peers):
    return TEMPLATES + "".join(f"[{name}]{rest}\nsecret=pw{name}\n" for name, rest in peers.items())


class Site(Lab):
    """The PBX, and the collection's view of it."""

    def __init__(self, pbx, **more):
        super().__init__(pbx, **{"include": ";", **more})           # the include line is ours to write
        self.original = self.main.read_bytes()

    def config(self, user="ansible", secret="ami-secret", **more):
        return Config("chan_sip", Access(self.pbx.ami_host, self.pbx.ami_port, user, secret, timeout=10), "ami",
                      **{"config_dir": str(self.pbx.etc), "patience": 5, **more})

    def set(self, names, options=WANTED, config=None, **more):
        return set_nat(config or self.config(), Wanted(names, options, more.pop("skip", False)), **more)

    def extension(self, name):
        (found,) = read_pbx(self.config(), [name])["extensions"] or [None]
        return found

    def registrations(self):
        return {one["extension"]: one for one in read_pbx(self.config())["registrations"]}

    def all(self, names):
        return {name: self.options(name) for name in names}


@pytest.fixture
def site(chan_sip):
    return Site(chan_sip)


# -- the contract -----------------------------------------------------------------------------------------------------------------------------
class ChanSipRig(Rig):
    """101 has nat=no, 102 auto, 103 a template with nat=comedia and the old name of directmedia, 104 nothing of its own."""

    secrets = ("ami-secret", *(f"pw{name}" for name in EXTENSIONS))
    shows = WANTED

    def __init__(self, pbx):
        also = "[old](!,phone)\nnat=comedia\ncanreinvite=yes\n" + with_peers(
            {"101": "(phone)\nnat=no", "102": "(phone)\nnat=auto_force_rport,auto_comedia", "103": "(old)", "104": "(phone)"})
        self.site, self.sources, self.marks = Site(pbx, nat_option=None, phones=[], also=also), {}, 0
        self.config = self.site.config()

    def register(self, extension, claimed, seen, user_agent):
        del seen                                                    # it is where our socket is
        self.sources[extension], dummy = self.site.register(extension, "{}:{}".format(*claimed), host=claimed[0], user_agent=user_agent)

    def registered(self, extension, claimed, seen):
        return Registration(extension, *claimed, "127.0.0.2", self.sources[extension], seen_is_source=True)

    def log(self):
        """All that was logged until now: what is logged for us afterwards comes after it."""
        self.marks += 1
        self.site.ask("Ping", user="audit", secret="audit-secret")
        assert until(lambda: self.site.log().count("Manager 'audit' logged on") == self.marks, 10)
        return self.site.log()

    def ask(self, action, **fields):
        self.marks += 1
        return self.site.ask(action, user="audit", secret="audit-secret", **fields)

    def attempts(self):
        log = self.log()
        return log.count("Manager 'ansible' logged on") + log.count("failed to authenticate as 'ansible'")

    def wrong_password(self):
        return replace(self.config, access=replace(self.config.access, password="not-that"))

    def stored(self):
        """The section of our file, and what Asterisk uses."""
        text = self.site.owned.read_text() if self.site.owned.exists() else ""
        sections = dict(part.split("](+)\n") for part in text.split("\n[")[1:])
        used = {name: self.ask("SIPshowpeer", Peer=name) for name in EXTENSIONS}
        return {name: {"file": sections.get(name, ""), **{key: used[name][f"sip-{key}"] for key in ("forcerport", "comedia", "directmedia")}}
                for name in EXTENSIONS}

    def others(self):
        files = {path.name: path.read_text() for path in self.site.pbx.etc.iterdir() if path != self.site.owned}
        files["sip.conf"] = files["sip.conf"].replace("#tryinclude sip_evenport.conf\n", "")
        return json.dumps(files, sort_keys=True)

    def applies(self):
        return self.log().count("chan_sip.c: Reloading SIP")

    def contacts(self):
        return [one["objectname"] for one in self.ask("SIPpeers") if one["ipaddress"] != "-none-"]

    @contextmanager
    def deaf(self):
        """We write where it does not read."""
        elsewhere, before = self.site.pbx.home / "elsewhere", self.config
        shutil.copytree(self.site.pbx.etc, elsewhere)
        self.config = replace(before, config_dir=str(elsewhere))
        yield
        self.config = before
        assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == {path.name: path.read_bytes() for path in self.site.pbx.etc.iterdir()}

    @contextmanager
    def failing_apply(self):
        """A manager user who may read and not reload."""
        before, self.config = self.config, self.site.config("weak", "weak-secret")
        yield
        self.config = before


@pytest.fixture
def rig(chan_sip):
    return ChanSipRig(chan_sip)


class TestContract(NatContract):
    pass


# -- writing ----------------------------------------------------------------------------------------------------------------------------------
def test_over_whatever_was_there(chan_sip):
    site = Site(chan_sip, nat_option="auto_comedia", also=with_peers(BEFORE))
    before = site.all(BEFORE)
    assert len(set(before.values())) == 5 and [name for name in BEFORE if before[name] == ON] == ["114"]
    assert site.set(list(BEFORE))["changed"] and site.all(BEFORE) == dict.fromkeys(BEFORE, ON)
    assert not site.set(list(BEFORE))["changed"] and site.options("101") == before["a.b-c"]
    assert site.set(list(BEFORE), NONE)["changed"] and site.all(BEFORE) == dict.fromkeys(BEFORE, OFF)
    site.restart()
    assert site.all(BEFORE) == dict.fromkeys(BEFORE, OFF) and not site.set(list(BEFORE), NONE)["changed"]
    assert site.set(list(BEFORE), None)["changed"] and site.all(BEFORE) == before


def test_one_of_the_two_and_a_fourth_that_is_none_of_its_own(site):
    for force_rport, comedia in ((True, False), (False, True)):
        wanted = {**WANTED, "force_rport": force_rport, "rtp_symmetric": comedia}                   # rewrite_contact can't be on without force_rport
        assert site.set(["101"], wanted)["changed"] and not site.set(["101"], wanted)["changed"]
        assert site.options("101") == ("NY"[force_rport], "NY"[comedia], "N") and site.extension("101")["rewrite_contact"] is force_rport


def test_registrations_survive_the_reload_and_a_changed_claim_shows(site):
    source, dummy = site.register("101", "192.168.1.50:5062")
    before = site.registrations()["101"]
    assert site.set(["101", "102"])["changed"]
    after = site.registrations()["101"]
    assert {**after, "expires": 0} == {**before, "expires": 0} and (after["seen_port"], after["user_agent"]) == (source, "Test Phone 1.0")
    source, dummy = site.register("101", "192.168.1.50:5064")
    result = read_pbx(site.config(), ["101"], {"101": 5064, "102": 5066}, 0.5)
    assert result["not_shown"] == ["102"] and result["registrations"][0]["seen_port"] == source and result["version"].startswith("16.28.")


def stored(pbx):
    with closing(sqlite3.connect(pbx.home / "var/astdb.sqlite3")) as database:
        return database.execute("SELECT count(*) FROM astdb WHERE key LIKE '/SIP/Registry/%'").fetchone()[0]


@pytest.mark.parametrize("missing", [False, True])
def test_killed_and_started_cold(site, missing):
    site.set(["101", "102"])
    site.register("101", "192.168.1.50:5062")
    assert until(lambda: stored(site.pbx), 10)                      # Asterisk writes its registrations down once a second
    if missing:
        site.owned.unlink()
    site.pbx._process.kill()                                        # as by a power cut
    site.restart()
    here = OFF if missing else ON
    assert site.all(["101", "102", "103", "109"]) == {"101": here, "102": here, "103": OFF, "109": OFF}
    assert "does not exist" not in site.log() and site.registrations()["101"]["claimed_port"] == 5062
    assert site.set(["101", "102"])["changed"] is missing and site.all(["101", "102"]) == {"101": ON, "102": ON}


def test_trap_unknown_section_hides_what_follows_and_is_pruned(site):
    site.set(["101", "103"])
    text = site.main.read_text()
    site.main.write_text(text[:text.index("[101]")] + text[text.index("[102]"):])                   # somebody deletes extension 101
    site.restart()
    assert site.extension("101") is None and site.options("103") == OFF and "category '101' does not exist" in site.log()
    assert site.set(["103"])["pruned"] == ["101"] and site.options("103") == ON


def test_a_file_edited_by_hand_is_written_anew(site):
    site.set(["101", "102"])
    text = site.owned.read_text()
    site.owned.write_text(text.replace("nat=no\n", "", 1).replace("[102](+)\n", "[102](+)\ndescription=Bakery ; mine\n"))
    done = site.set(["101"])
    assert done["changed"] and done["drift"] and "was edited by hand" in done["notes"][0]
    assert site.owned.read_text() == text + "description=Bakery\n" and until(lambda: site.peer("102")["description"] == "Bakery", 10)
    assert site.all(["101", "102"]) == {"101": ON, "102": ON}
    assert not site.set(["101", "102"])["changed"]


def test_options_that_only_wait_for_the_next_reload_to_go_away(site):
    """Somebody took them out of sip.conf and did not reload. Asterisk answers before it reloads, so at first they still look right."""
    text = site.main.read_text()
    site.main.write_text(text + "[101](+)\nnat=force_rport,comedia\ndirectmedia=no\n")
    site.ask("Reload", Module="chan_sip.so")
    assert until(lambda: site.options("101") == ON, 10)
    site.main.write_text(text)
    assert not site.set(["101"])["changed"]
    assert site.set(["101", "102"], config=site.config(patience=1))["changed"] and "[101](+)" in site.owned.read_text()
    site.restart()
    assert site.all(["101", "102", "103"]) == {"101": ON, "102": ON, "103": OFF}


def test_trap_updateconfig_on_the_parent_destroys_the_file(site):
    site.set(["101"])
    site.ask("UpdateConfig", **{"SrcFilename": "sip.conf", "DstFilename": "sip.conf", "Action-000000": "Append", "Cat-000000": "general",
                                "Var-000000": "maxexpiry", "Value-000000": "3000"})
    site.ask("Reload", Module="chan_sip.so")
    assert "(+)" not in site.owned.read_text() and until(lambda: site.options("101") == OFF, 10)    # silently off
    with pytest.raises(Unsupported, match="UpdateConfig"):
        site.set(["101"])
    done = site.set(["101"], config=site.config(allow_generated=True))
    assert done["changed"] and done["drift"] and site.options("101") == ON
    site.restart()
    assert site.all(["101", "102"]) == {"101": ON, "102": OFF}


def test_a_peer_that_sip_conf_does_not_define_is_named(site):
    """Of users.conf: listed and in use, but our section can't add to it."""
    (site.pbx.etc / "users.conf").write_text("[general]\nhost = dynamic\n[120]\nhassip = yes\n")
    site.restart()
    with open_pbx(site.config()) as pbx:
        assert "120" in pbx.endpoints() and [pbx.has_section("sip.conf", name) for name in ("120", "101")] == [False, True]
    with pytest.raises(NotApplied, match=r"sip\.conf defines no peer 120: it comes from users\.conf.*files are as they were"):
        site.set(["120", "101"], config=site.config(patience=1))
    assert site.main.read_bytes() == site.original and not site.owned.exists() and site.options("101") == OFF


def test_a_peer_of_an_included_file(chan_sip):
    """The included file ends in a peer of its own, our line comes after it."""
    site = Site(chan_sip, also="#tryinclude sip_more.conf")
    (chan_sip.etc / "sip_more.conf").write_text("[130]\ntype=friend\nhost=dynamic\nnat=auto_comedia\n")
    site.restart()
    assert site.set(["130", "101"])["changed"] and site.all(["130", "101"]) == {"130": ON, "101": ON}


def test_permissions(site):
    (site.pbx.etc / "manager.conf").open("a").write("[nobody]\nsecret = nobody-secret\nread = call\nwrite = call\n")
    site.pbx.rx("manager reload")
    assert site.set(["101"], config=site.config("audit", "audit-secret"))["changed"]                # system alone is enough
    weak = site.config("weak", "weak-secret")                                                       # reporting alone reads
    assert read_pbx(weak, ["101"])["extensions"][0]["device_state"] == "Unavailable" and not site.set(["101"], config=weak)["changed"]
    with pytest.raises(PermissionMissing, match=r"class system or config.*but Asterisk could not be told"):
        site.set(["102"], config=weak)
    assert site.options("102") == OFF and "[102]" not in site.owned.read_text()
    with pytest.raises(PermissionMissing, match="class system or reporting"):
        read_pbx(site.config("nobody", "nobody-secret"))


# -- reading ----------------------------------------------------------------------------------------------------------------------------------
def test_no_secret_comes_out(site):
    site.register("101", "192.168.1.50:5062")
    everything = repr((site.set(["101", "102"]), read_pbx(site.config(), ["101", "102", "103"], {"101": 5062}, 5)))
    assert "pw10" not in everything and "ami-secret" not in everything


def test_auto_is_neither_on_nor_off_and_the_source_is_known_all_the_same(chan_sip):
    site = Site(chan_sip, nat_option="auto_force_rport,auto_comedia")
    source, dummy = site.register("101", "192.168.1.50:5062")
    for letter in "Aa":                                             # any reload makes "on right now" an "off", and leaves the address
        assert site.options("101") == (letter, letter, "Y")
        assert [site.extension("101")[option] for option in NAT_OPTIONS] == [None, None, None, True]
        found = site.registrations()["101"]
        assert (found["seen_address"], found["seen_port"], found["seen_is_source"]) == ("127.0.0.2", source, True)
        site.set(["102"])
    assert site.set(["101"])["before"]["101"]["force_rport"] is None and site.options("101") == ON


def test_registered_before_the_option_was_on(chan_sip):
    """Without rport: Asterisk goes on to send to the Contact until the phone registers again."""
    site, line = Site(chan_sip, nat_option="no", qualify="yes\nqualifyfreq = 1"), Line("s", "p", 1, "101", 5062)

    def verdict():
        read = read_pbx(site.config(), ["101"])
        known = {one["extension"]: Extension.from_dict(one) for one in read["extensions"]}
        return judge_lines([line], [Registration.from_dict(one) for one in read["registrations"]], known)[0].verdict
    site.register("101", "127.0.0.3:5062", host="127.0.0.3", rport=False)                          # private, and nobody there
    assert until(lambda: verdict() == "nat_option_missing", 15)
    site.set(["101"])
    assert until(lambda: verdict() == "registered_before", 15) and site.registrations()["101"]["seen_is_source"] is False
    site.register("101", "127.0.0.3:5062", host="127.0.0.3", rport=False)
    assert site.registrations()["101"]["seen_is_source"] is True


def test_in_use(site):
    """SIPshowpeer doesn't say; the list of channels does, while it rings too."""
    assert site.extension("101")["device_state"] == "Unavailable"
    site.register("101", "127.0.0.2:5062", host="127.0.0.2")
    assert (site.extension("101")["device_state"], site.extension("101")["active_channels"]) == ("Not in use", 0)
    site.pbx.rx("channel originate SIP/101 application Wait 20")
    assert until(lambda: (site.extension("101")["device_state"], site.extension("101")["active_channels"]) == ("In use", 1), 10)


def test_five_hundred_peers(chan_sip):
    names = [str(number) for number in range(1000, 1500)]
    site = Site(chan_sip, phones=names)
    for name in names[:200]:
        site.register(name, f"192.168.1.50:{4000 + 2 * int(name)}")
    read = read_pbx(site.config(), names)
    assert [one["extension"] for one in read["extensions"]] == names
    assert [one["extension"] for one in read["registrations"]] == names[:200]
    assert [one["claimed_port"] for one in read["registrations"]] == [4000 + 2 * int(name) for name in names[:200]]


# -- on the PBX's own Python ------------------------------------------------------------------------------------------------------------------
ROOT = Path(__file__).parents[2]
LOAD = """
import importlib, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
root = Path(sys.argv[2])
for path in sorted((root / "plugins/module_utils/pbx").rglob("*.py")):
    importlib.import_module("ansible_collections.evenport.sip." + ".".join(path.relative_to(root).with_suffix("").parts))
print(json.dumps([module.__file__ for name, module in sys.modules.items() if name.startswith("ansible_collections.evenport.sip.") and module.__file__]))
"""


def test_all_that_runs_on_a_pbx_loads_on_python_39(lab_tree16, tmp_path):
    """Whatever the PBX modules import, down to the last. What only fails when it runs, zip(strict=), is looked for."""
    (tmp_path / "ansible_collections/evenport").mkdir(parents=True)
    (tmp_path / "ansible_collections/evenport/sip").symlink_to(ROOT)
    done = subprocess.run([asterisk16.python(lab_tree16), "-B", "-c", LOAD, tmp_path, ROOT], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    files = [Path(name).resolve() for name in json.loads(done.stdout)]
    assert {"work.py", "chan_sip.py", "errors.py", "model.py"} <= {path.name for path in files}
    calls = [(path.name, node.lineno) for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))
             if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "zip" and node.keywords]
    assert calls == []


PLAY = """
- hosts: pbx1
  gather_facts: false
  tasks:
    - ansible.builtin.setup: {gather_subset: ["!all", "!min", "python"]}
    - ansible.builtin.debug: {msg: "Python {{ ansible_facts.python.version.major }}.{{ ansible_facts.python.version.minor }}"}
    - evenport.sip.pbx_nat: {pbx: pbx1, extensions: ["101", "102"]}
      diff: true
    - evenport.sip.pbx_registrations_info: {pbx: pbx1, extensions: ["101"], wait_for: {"101": 5062}, wait_timeout: 5}
      register: read
      when: not ansible_check_mode
    - ansible.builtin.debug:
        msg: "{{ read.version }} {{ read.registrations[0].claimed_port }} {{ read.extensions[0].rewrite_contact }} {{ read.not_shown | length }}"
      when: not ansible_check_mode
"""


def test_the_modules_on_the_pbxs_own_python(site, tmp_path):
    site.register("101", "192.168.1.50:5062")
    variables = {"ansible_connection": "local", "ansible_python_interpreter": str(site.pbx.python), "sip_pbx_type": "chan_sip", "sip_pbx_user": "ansible",
                 "sip_pbx_password": "ami-secret", "sip_pbx_host": site.pbx.ami_host, "sip_pbx_port": site.pbx.ami_port,
                 "sip_pbx_config_dir": str(site.pbx.etc)}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"pbx1": variables}}}))
    (tmp_path / "site.yml").write_text(PLAY)

    def play(*options):
        done = run_playbook("site.yml", tmp_path / "hosts.yml", *options)
        assert not done.failed and "Python 3.9" in done.words and "ami-secret" not in done.out and "pw10" not in done.out, done.out
        return done
    assert play("--check").changed == 1 and site.main.read_bytes() == site.original and not site.owned.exists()
    done = play("-vv")
    assert done.changed == 1 and site.all(["101", "102", "103"]) == {"101": ON, "102": ON, "103": OFF}
    assert "16.28." in done.words and " 5062 True 0" in done.words and '+ "rewrite_contact": true' in done.words.replace("+      ", "+ ")
    assert play().changed == 0
