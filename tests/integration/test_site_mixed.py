# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A customer's site as it really is: every desk has another brand. The same three playbooks, and nothing that says which phone is what."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.work import inspect_phone
from tests.fakes.site import MIXED, DemoSite
from tests.integration.conftest import Rollout

PLANNED = {
    "front-desk": 5060, "kitchen": 5062, "workshop": 5064, "office-anna": 5066, "office-ben": 5068, "meeting-room": 5070, "warehouse": 5072, "boss": 5074,
}
BRAND = dict(zip(PLANNED, MIXED, strict=True))
PHONE = {brand: phone for phone, brand in BRAND.items()}


@pytest.fixture
def mixed(tmp_path):
    rollout = Rollout(tmp_path, kinds=MIXED)
    with rollout.site:
        yield rollout


def test_a_mixed_site_is_rolled_out_then_there_is_nothing_to_do(mixed):
    first = mixed.run("site")
    assert not first.failed, first.out
    assert mixed.ports() == PLANNED
    assert set(mixed.verdicts().values()) == {"ok"}
    assert mixed.totals("writes") == dict.fromkeys(PLANNED, 1)
    # Only the phone that every write restarts has been restarted, once.
    assert mixed.totals("reboots") == {**dict.fromkeys(PLANNED, 0), PHONE["htek"]: 1}

    second = mixed.run("site")
    assert (second.failed, second.changed) == (False, 0), second.out
    assert mixed.totals("writes") == dict.fromkeys(PLANNED, 1)
    assert mixed.totals("reboots") == {**dict.fromkeys(PLANNED, 0), PHONE["htek"]: 1}
    assert second.recap("kitchen") == {}, "a phone that is in order costs no task"
    assert "demo-web-secret" not in first.out + second.out


def test_check_mode_writes_to_no_brand(mixed):
    before = {name: dict(phone.values) for name, phone in mixed.phones.items()}
    result = mixed.run("site", "--check", "--diff")
    assert not result.failed, result.out
    assert {name: result.recap(name)["changed"] for name in PLANNED if name != "front-desk"} == dict.fromkeys([n for n in PLANNED if n != "front-desk"], 1)
    assert set(mixed.totals("writes").values()) == set(mixed.totals("reboots").values()) == {0}
    assert {name: phone.values for name, phone in mixed.phones.items()} == before


def test_each_brand_that_refuses_the_password_fails_alone_after_one_attempt(mixed):
    good = PHONE["poly"]
    for name in PLANNED:
        if name != good:
            mixed.edit(name, sip_phone_password="another one")
    result = mixed.run("site")
    assert mixed.ports()[good] == PLANNED[good], result.out
    assert mixed.totals("login_attempts") == {**dict.fromkeys(PLANNED, 1), good: mixed.phones[good].login_attempts}
    assert {name: finding["code"] for finding in mixed.findings for name in [finding["phone"]] if finding["code"] == "auth_failed"} == {
        name: "auth_failed" for name in PLANNED if name != good}


def test_every_brand_is_put_back_where_its_pbx_does_not_show_the_port(mixed):
    """Nobody registers anew, whatever the web pages say: each phone is restarted once at most, then put back to the letter."""
    before = {name: dict(phone.values) for name, phone in mixed.phones.items()}
    for phone in mixed.phones.values():
        phone.on_register = None
    result = mixed.run("site", "-e", "sip_verify_timeout=2 sip_canaries=0")
    expected = {name: "put back" for name in PLANNED if name != "front-desk"}           # on its port from the start: nothing to move
    assert {line["phone"]: line["this_run"] for line in mixed.lines if line["phone"] in expected} == expected, result.out
    # What a random line of an Htek has stored for a port has no effect, and only the run's first visit knew it.
    dead = {PHONE["htek"]: {"P40"}}
    changed = {name: {key for key, value in mixed.phones[name].values.items() if value != before[name][key]} for name in expected}
    assert {name: keys for name, keys in changed.items() if keys} == dead and mixed.phones[PHONE["htek"]].effective[1] >= 32768
    restarts = mixed.totals("reboots")
    assert {name for name, count in restarts.items() if count > 1} <= {PHONE["htek"]} and restarts[PHONE["htek"]] == 2, restarts


def test_a_phone_that_cannot_speak_of_calls_is_asked_for_at_its_pbx(mixed):
    """An Htek restarts at every write and does not tell whether it is in use; the PBX does."""
    name = PHONE["htek"]
    extension = str(mixed.site.hosts[name]["sip_extensions"][0])
    mixed.site.pbx.channels[extension] = 1
    first = mixed.run("site")
    assert mixed.phones[name].writes == mixed.phones[name].reboots == 0, first.out
    assert "the PBX says that the phone is in use" in first.words
    assert mixed.ports() == {**PLANNED, name: mixed.ports()[name]}, "the others went on"
    assert name in (mixed.inventory / ".sip/deferred.txt").read_text().split()
    mixed.site.pbx.channels[extension] = 0
    second = mixed.run("site")
    assert mixed.ports() == PLANNED and not second.failed, second.out


def test_two_extensions_on_a_phone_with_one_port(tmp_path):
    """Planned with brand auto, each line has a port in the lock. The phone shares its first one, and the second is nobody's."""
    name = PHONE["poly"]
    rollout = Rollout(tmp_path, kinds=MIXED)
    lock = rollout.inventory / "group_vars/demo_site/sip_ports.yml"
    data = yaml.safe_load(lock.read_text())
    data["sip_ports"][name] = [PLANNED[name], 5090]
    lock.write_text(yaml.safe_dump(data))
    rollout.edit(name, sip_extensions=["103", "109"])
    rollout.site = DemoSite(rollout.inventory, kinds=MIXED)
    rollout.phones = rollout.site.phones
    with rollout.site:
        result = rollout.run("site", "--limit", f"{name},demo-pbx")
        assert not result.failed and rollout.phones[name].effective == {1: PLANNED[name], 2: PLANNED[name]}, result.out
        mine = [line for line in rollout.lines if line["phone"] == name]
        assert [(line["planned"], line["seen"], line["verdict"]) for line in mine] == [(PLANNED[name], PLANNED[name], "ok"), (0, PLANNED[name], "ok")]
        assert rollout.run("site", "--limit", f"{name},demo-pbx").changed == 0


def test_a_phone_that_keeps_its_web_session_can_still_step_aside_and_come_back(tmp_path):
    """Two phones swap ports, so one is visited twice. The Fanvil can't end a session: the second visit takes over that of the first."""
    rollout = Rollout(tmp_path, kinds=("fanvil", "poly"))
    lock = rollout.inventory / "group_vars/demo_site/sip_ports.yml"
    limit = ("--limit", "front-desk,kitchen,demo-pbx")
    with rollout.site:
        assert not rollout.run("site", *limit).failed
        data = yaml.safe_load(lock.read_text())
        data["sip_ports"].update({"front-desk": [PLANNED["kitchen"]], "kitchen": [PLANNED["front-desk"]]})
        lock.write_text(yaml.safe_dump(data))
        rollout.phones["front-desk"].expire_sessions()              # that of the first run has died by now
        result = rollout.run("site", *limit)
        assert not result.failed, result.out
        swapped = {"front-desk": PLANNED["kitchen"], "kitchen": PLANNED["front-desk"]}
        assert {name: rollout.ports()[name] for name in swapped} == swapped
        assert rollout.phones["front-desk"].log.count("POST /") == 2, "one web session for each run that writes"


def test_phones_whose_page_nobody_knows_are_driven_by_what_one_of_them_has_shown(tmp_path):
    """sip_phone_brand: form for the first of a model; what it found, saved as a file, for all the others. Brand auto would refuse them."""
    rollout = Rollout(tmp_path, kinds=("form", "grandstream"))
    unknown = [name for number, name in enumerate(PLANNED) if number % 2 == 0]
    first = unknown[0]
    rollout.edit(first, sip_phone_brand="form")
    with rollout.site:
        fake = rollout.phones[first]
        found = inspect_phone(Target(first, fake.address, protocol="http", port=fake.port, password="demo-web-secret", brand="form"))["profile"]
        (rollout.inventory / "profiles").mkdir()
        (rollout.inventory / "profiles/konto.yml").write_text(yaml.safe_dump(found))
        for name in unknown[1:]:
            rollout.edit(name, sip_phone_profile="{{ lookup('ansible.builtin.file', inventory_dir ~ '/profiles/konto.yml') | from_yaml }}")
        result = rollout.run("site")
        assert not result.failed and rollout.ports() == PLANNED, result.out
        assert {rollout.totals("writes")[name] for name in unknown[1:]} == {1}
        assert all(rollout.phones[name].dangers == 0 for name in unknown)
        assert rollout.run("site").changed == 0


def test_a_phone_that_a_server_owns_is_named_and_left_alone(mixed):
    name = PHONE["grandstream"]
    mixed.phones[name].values["P237"] = "prov.example.net/cfg"
    mixed.phones[name].set(1, "sip.localPort", "5080")
    result = mixed.run("site", "--limit", f"{name},demo-pbx")
    assert result.failed and mixed.phones[name].writes == 0
    assert "prov.example.net" in result.words and "provisioned" in {finding["code"] for finding in mixed.findings}
    pushed = mixed.run("site", "--limit", f"{name},demo-pbx", "-e", "sip_phone_when_provisioned=push")
    assert not pushed.failed and mixed.ports()[name] == PLANNED[name], pushed.out
    assert "provisioning_server" in {finding["code"] for finding in mixed.findings}, "worth knowing, though all is in order now"
