"""evenport.sip.site and evenport.sip.audit against the embedded site: what they do, what they leave alone, and who fails alone."""

from __future__ import annotations

import json

import pytest

PLANNED = {
    "front-desk": 5060, "kitchen": 5062, "workshop": 5064, "office-anna": 5066, "office-ben": 5068, "meeting-room": 5070, "warehouse": 5072, "boss": 5074,
}
ALL_5060 = dict.fromkeys(PLANNED, 5060)


def others(name):
    return {phone: port for phone, port in PLANNED.items() if phone != name}


def test_a_rollout_then_nothing_to_do(rollout):
    assert rollout.ports() == ALL_5060
    first = rollout.run("site")
    assert not first.failed, first.out
    assert rollout.ports() == PLANNED
    assert set(rollout.verdicts().values()) == {"ok"}
    assert rollout.totals("login_attempts") == rollout.totals("logouts") == dict.fromkeys(PLANNED, 1)
    assert rollout.totals("writes") == dict.fromkeys(PLANNED, 1)
    assert set(rollout.totals("reboots").values()) == {0}
    assert rollout.site.pbx.reloads == 1

    second = rollout.run("site")
    assert (second.failed, second.changed) == (False, 0), second.out
    assert rollout.totals("writes") == dict.fromkeys(PLANNED, 1)
    assert rollout.totals("login_attempts") == rollout.totals("logouts") == dict.fromkeys(PLANNED, 2)
    assert rollout.site.pbx.reloads == 1
    assert second.recap("kitchen") == {}, "a phone that is in order costs no task"


def test_check_mode_is_an_audit(rollout):
    result = rollout.run("site", "--check", "--diff")
    assert not result.failed, result.out
    assert result.recap("kitchen")["changed"] == 1
    assert '"local_port": 5062' in result.out.replace("'", '"')
    assert set(rollout.totals("writes").values()) == {0}
    assert rollout.ports() == ALL_5060
    assert rollout.site.pbx.reloads == 0
    assert not (rollout.inventory / ".sip/asterisk/pjsip_evenport.conf").exists()
    assert not (rollout.inventory / ".sip/journal.jsonl").exists()
    assert rollout.totals("login_attempts") == rollout.totals("logouts") == dict.fromkeys(PLANNED, 1)


def test_the_audit_reads_only(rollout):
    result = rollout.run("audit")
    assert not result.failed, result.out
    assert rollout.verdicts() == {**dict.fromkeys(PLANNED, "wrong_port"), "front-desk": "nat_option_missing"}
    assert "nat_option_missing" in {finding["code"] for finding in rollout.findings}
    assert set(rollout.totals("writes").values()) == {0}
    assert rollout.totals("login_attempts") == rollout.totals("logouts") == dict.fromkeys(PLANNED, 1)


def check_each_fails_alone(rollout, result, expected):
    """*expected*: phone -> (code of its finding, words that its message or remedy must have, login attempts)."""
    good = {name: port for name, port in PLANNED.items() if name not in expected}
    assert {name: port for name, port in rollout.ports().items() if name in good} == good, result.out
    for name in good:
        assert not result.recap(name).get("failed") and not result.recap(name).get("unreachable")
    for name, (code, words, attempts) in expected.items():
        recap = result.recap(name)
        assert recap["failed"] + recap["unreachable"] == 1, name
        assert bool(recap["unreachable"]) == (code == "deferred"), name
        findings = {f["code"]: f for f in rollout.findings if f["phone"] == name}
        assert code in findings, (name, findings)
        text = f"{findings[code]['text']} {findings[code]['remedy']}"
        assert words in text and f"{name}: {name}:" not in result.words, text
        assert rollout.phones[name].login_attempts == attempts, name
    assert result.status in (2, 4, 6)


def test_phones_that_misbehave_fail_alone(rollout):
    for name in ("warehouse", "boss"):
        rollout.edit(name, sip_phone_timeout=2)
    for name, fault in {
        "workshop": "silent_success", "office-anna": "write_session_lost", "office-ben": "referer_removed", "meeting-room": "locked",
        "warehouse": "hang", "boss": "rubbish",
    }.items():
        rollout.phones[name].faults[fault] = True
    check_each_fails_alone(rollout, rollout.run("site"), {
        "workshop": ("not_applied", "reading back shows", 1),
        "office-anna": ("session_lost", "", 1),
        "office-ben": ("bad_answer", "", 0),
        "meeting-room": ("locked", "minutes", 0),
        "warehouse": ("deferred", "", 0),
        "boss": ("bad_answer", "", 0),
    })


def test_phones_that_are_wrong_absent_or_in_use_fail_alone(rollout):
    rollout.edit("workshop", sip_phone_password="not-this-one")
    rollout.edit("office-anna", sip_mac="00:0B:82:FF:FF:FF")
    rollout.phones["office-ben"].stop()
    rollout.phones["meeting-room"].faults["busy"] = True
    rollout.phones["warehouse"].faults["session_lost_after"] = 1
    result = rollout.run("site", "-e", "sip_phone_busy_timeout=1")
    check_each_fails_alone(rollout, result, {
        "workshop": ("auth_failed", "", 1),                     # a wrong password is tried once in a run
        "office-anna": ("identity_mismatch", "00:0B:82:00:60:14", 0),     # refused before the password is sent
        "office-ben": ("deferred", "", 0),
        "meeting-room": ("deferred", "", 1),
        "warehouse": ("session_lost", "", 2),                   # the session left by the scan was gone: one new login, with the accepted password
    })
    assert (rollout.phones["meeting-room"].writes, rollout.phones["meeting-room"].reboots) == (0, 0)
    assert (rollout.inventory / ".sip/deferred.txt").read_text() == "office-ben\nmeeting-room\n"


def test_a_phone_that_the_pbx_does_not_show_is_put_back(rollout):
    rollout.phones["kitchen"].on_register = None        # its SIP side is dead: nothing ever reaches the PBX
    result = rollout.run("site", "-e", "sip_verify_timeout=3", "-e", "sip_phone_reboot=never")
    assert result.recap("kitchen")["failed"] == 1
    assert rollout.phones["kitchen"].values["P40"] == "5060", "put back"
    assert rollout.phones["kitchen"].reboots == 0
    assert "put back as it was" in result.words
    assert {name: port for name, port in rollout.ports().items() if name != "kitchen"} == others("kitchen")


def test_a_phone_that_applies_its_port_after_a_restart_is_restarted_once(rollout):
    rollout.phones["boss"].faults.update(reboot_needed=True, slow_reboot=1)
    result = rollout.run("site", "-e", "sip_verify_timeout=4")
    assert not result.failed, result.out
    assert rollout.ports() == PLANNED
    assert rollout.totals("reboots") == {**dict.fromkeys(PLANNED, 0), "boss": 1}
    assert {line["phone"]: line["this_run"] for line in rollout.lines}["boss"] == "moved, restarted"


def test_a_site_stops_when_all_of_its_canaries_fail(rollout):
    for name in ("front-desk", "kitchen"):
        rollout.phones[name].faults["silent_success"] = True
    result = rollout.run("site")
    assert rollout.ports() == ALL_5060
    assert result.recap("boss")["failed"] == 1
    assert rollout.totals("logouts") == dict.fromkeys(PLANNED, 1), "sessions that nobody used are ended"
    assert set(rollout.totals("writes").values()) == {0, rollout.phones["kitchen"].writes}
    assert "The first 2 phone(s) of demo_site failed" in result.words


def test_no_phone_moves_onto_a_port_that_another_still_holds(rollout):
    """After a renumbering in reverse every phone waits for another one; a ring needs a phone to step aside."""
    assert not rollout.run("site").failed
    reverse = dict(zip(PLANNED, reversed(PLANNED.values()), strict=True))
    lock = rollout.inventory / "group_vars/demo_site/sip_ports.yml"
    lock.write_text(json.dumps({"sip_ports": {name: [port] for name, port in reverse.items()}, "sip_ports_retired": []}))
    held, clashes = dict(PLANNED), []
    for name, phone in rollout.phones.items():
        def moved(fake, account, port, name=name, register=phone.on_register):
            held[name] = port
            clashes.extend((name, other, port) for other in held if other != name and held[other] == port)
            register(fake, account, port)
        phone.on_register = moved
    result = rollout.run("site")
    assert not result.failed, result.out
    assert rollout.ports() == reverse
    assert clashes == []


def test_an_active_account_that_the_plan_does_not_know_blocks_its_neighbour_and_is_named(rollout):
    phone = rollout.phones["front-desk"]
    phone.values["P401"] = "1"          # account 2 is active, on the factory's 5062: kitchen's port
    result = rollout.run("site")
    assert rollout.phones["kitchen"].writes == 0
    assert "account 2 of front-desk is active on it" in result.words
    assert "sip_extensions" in result.words
    assert rollout.ports()["boss"] == 5074
    assert ("active_account", "front-desk") in {(f["code"], f["phone"]) for f in rollout.findings}


def test_a_pbx_that_fails_stops_its_phones_before_any_write(rollout):
    rollout.edit("demo-pbx", sip_pbx_password="wrong")
    result = rollout.run("site")
    assert set(rollout.totals("writes").values()) == {0}
    assert result.recap("kitchen")["unreachable"] == 1
    assert "its PBX demo-pbx failed first" in result.words
    assert rollout.totals("logouts") == dict.fromkeys(PLANNED, 1)
    assert rollout.site.pbx.login_attempts == 1, "refused once, and not asked again by the report of the same run"


def test_a_pbx_that_fails_is_told_though_all_its_phones_are_in_order(rollout):
    assert not rollout.run("site").failed
    rollout.edit("demo-pbx", sip_pbx_password="wrong")
    before = rollout.site.pbx.login_attempts
    result = rollout.run("site")
    assert result.status == 2 and rollout.site.pbx.login_attempts == before + 1
    assert result.recap("demo-pbx")["failed"] == 1
    assert "pbx_not_read" in {finding["code"] for finding in rollout.findings}


def test_phones_in_the_pbxs_own_network_need_no_nat_option(rollout):
    result = rollout.run("site", "-e", "sip_nat_option=false")
    assert not result.failed, result.out
    assert rollout.ports() == PLANNED
    assert rollout.site.pbx.reloads == 0


@pytest.mark.parametrize("lock", ["missing", "short", "duplicate"])
def test_a_site_whose_lock_is_not_whole_is_not_touched(rollout, lock):
    path = rollout.inventory / "group_vars/demo_site/sip_ports.yml"
    text = path.read_text()
    path.write_text({"missing": "{}\n", "short": text.replace("  boss: [5074]\n", ""), "duplicate": text.replace("5074", "5072")}[lock])
    result = rollout.run("site")
    assert result.failed
    assert set(rollout.totals("requests").values()) == {0}
    assert rollout.site.pbx.reloads == 0
    told = "ports" if lock == "duplicate" else f"ansible-playbook evenport.sip.plan -i {rollout.inventory}"
    assert told in result.words


def test_limit_touches_the_named_phones_only(rollout):
    result = rollout.run("site", "--limit", "kitchen,boss")
    assert not result.failed, result.out
    assert rollout.ports() == {**ALL_5060, "kitchen": 5062, "boss": 5074}
    assert {name for name, requests in rollout.totals("requests").items() if requests} == {"kitchen", "boss"}


def test_no_secret_in_any_output(rollout):
    rollout.phones["workshop"].faults["silent_success"] = True
    rollout.edit("boss", sip_phone_password="a-wrong-secret")
    result = rollout.run("site", "-vvvv", "--diff")
    kept = "".join(path.read_text() for path in [rollout.report_file, rollout.inventory / ".sip/journal.jsonl"])
    sids = [sid for phone in rollout.phones.values() for sid in phone.all_sids] if hasattr(rollout.phones["boss"], "all_sids") else []
    for secret in ["demo-web-secret", "a-wrong-secret", "demo-ami-secret", "sip-101", *sids]:
        assert secret not in result.out, f"{secret} was shown"
        assert secret not in kept, f"{secret} was kept"


def test_the_journal_tells_before_and_after(rollout):
    rollout.run("site")
    entries = [json.loads(line) for line in (rollout.inventory / ".sip/journal.jsonl").read_text().splitlines()]
    kitchen = next(entry for entry in entries if entry["phone"] == "kitchen")
    assert kitchen["before"]["lines"][0]["local_port"] == 5060
    assert kitchen["after"]["lines"][0]["local_port"] == 5062
    assert kitchen["outcome"] == "moved"
