# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""evenport.sip.pbx_nat against the fake PBX, which reads the files as Asterisk does, traps included."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import files
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.modules import pbx_nat
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import Category, write_sample

EXTENSIONS = ["101", "102", "103", "104", "4540r"]
ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
OFF = {"rewrite_contact": False, "force_rport": False, "rtp_symmetric": False, "direct_media": True}


class Pbx:
    def __init__(self, fake, folder, capsys):
        self.fake, self.folder, self.capsys = fake, folder, capsys
        self.main, self.owned = folder / "pjsip.conf", folder / "pjsip_evenport.conf"
        self.original = self.main.read_bytes()

    def run(self, extensions, check=False, password="ami-secret", **more):
        """The module's own exit code and result; no secret may be in it, whatever happens."""
        args = {"port": self.fake.port, "username": "evenport", "password": password, "extensions": extensions, "config_dir": str(self.folder),
                "verify_timeout": 1, "timeout": 2, "_ansible_check_mode": check, "_ansible_diff": True, **more}
        with patch_module_args(args), pytest.raises(SystemExit) as ended:
            pbx_nat.main()
        out = self.capsys.readouterr().out
        assert not any(f"pw{name}" in out for name in EXTENSIONS) and "ami-secret" not in out
        assert ended.value.code in (0, 1)
        result = json.loads(out)
        assert bool(result.get("failed")) == bool(ended.value.code)
        return result

    def untouched(self):
        return self.main.read_bytes() == self.original and not self.owned.exists() and sorted(os.listdir(self.folder)) == ["pjsip.conf"]


@pytest.fixture
def pbx(tmp_path, capsys, monkeypatch):
    # As in a process of its own. Where another test has loaded Ansible's controller part, a module's warnings go to the screen.
    monkeypatch.setattr("ansible.module_utils._internal.is_controller", False)
    folder = tmp_path / "asterisk"
    folder.mkdir()
    write_sample(folder, EXTENSIONS)
    with FakeAsterisk(folder) as fake:
        yield Pbx(fake, folder, capsys)


def test_check_change_no_change_check(pbx):
    planned = pbx.run(["102", "101"], check=True)
    assert planned["changed"] and pbx.untouched() and pbx.fake.reloads == 0
    assert planned["before"]["101"] == OFF and planned["after"]["101"] == ON and planned["diff"]["after"]["102"] == ON
    done = pbx.run(["102", "101"])
    assert done["changed"] and done["applied"] and pbx.fake.reloads == 1 and done["diff"] == planned["diff"]
    assert [one["extension"] for one in done["extensions"]] == ["102", "101"] and all(one["rewrite_contact"] for one in done["extensions"])
    assert pbx.main.read_bytes() == pbx.original + b"#tryinclude pjsip_evenport.conf\n"
    stamps = [os.stat(path).st_mtime_ns for path in (pbx.main, pbx.owned)]
    for check in (False, True):
        again = pbx.run(["101", "102"], check=check)
        assert not again["changed"] and again["before"] == again["after"] == {}
    assert pbx.fake.reloads == 1 and stamps == [os.stat(path).st_mtime_ns for path in (pbx.main, pbx.owned)]
    assert pbx.fake.endpoint("103") == OFF


def test_one_login_per_call(pbx):
    for number, arguments in enumerate((["101"], ["101"], ["999"], ["101"]), 1):
        pbx.run(arguments)
        assert pbx.fake.login_attempts == number == pbx.fake.connections
    pbx.run(["101"], password="wrong")
    assert pbx.fake.login_attempts == 5 == pbx.fake.logins + 1


def test_other_extensions_stay(pbx):
    pbx.run(["103"], rtp_symmetric=False)
    pbx.run(["101"])
    assert pbx.fake.endpoint("103") == {**ON, "rtp_symmetric": False} and pbx.fake.endpoint("101") == ON
    gone = pbx.run(["103"], state="absent")
    assert gone["changed"] and gone["before"]["103"]["rewrite_contact"] and pbx.fake.endpoint("103") == OFF and pbx.fake.endpoint("101") == ON
    assert not pbx.run(["103"], state="absent")["changed"]
    pbx.run(["101"], state="absent")
    assert pbx.fake.endpoint("101") == OFF and "[" not in pbx.owned.read_text().split("\n\n")[-1]


def test_absent_on_a_pbx_never_touched(pbx):
    assert not pbx.run(["101"], state="absent")["changed"] and pbx.untouched()


def test_an_endpoint_that_has_it_from_a_template_needs_no_section(pbx):
    write_sample(pbx.folder, EXTENSIONS, nat="yes")
    pbx.original = pbx.main.read_bytes()
    pbx.fake.load()
    assert not pbx.run(EXTENSIONS)["changed"] and pbx.untouched()


def test_endpoint_auth_and_aor_share_a_name_the_filter_finds_the_endpoint(pbx):
    """And the type may be inherited from a template. Registrations survive the reload."""
    pbx.fake.register("4540r", "192.168.1.9", 5070, "203.0.113.1", 5070)
    pbx.run(["4540r"])
    assert pbx.fake.endpoint("4540r") == ON and len(pbx.fake.contacts) == 1 and not pbx.fake.log


def test_cold_start_with_everything_in_place(pbx):
    pbx.run(["101"])
    assert FakeAsterisk(pbx.folder).endpoint("101") == ON


def test_unknown_extension_fails_before_anything_is_written(pbx):
    result = pbx.run(["101", "999", "12 3"])
    assert result["failed"] and pbx.untouched()
    result = pbx.run(["101", "998", "999"])
    assert "998, 999" in result["msg"] and not result["wrote"] and pbx.untouched() and pbx.fake.reloads == 0


def test_trap_1_a_deleted_extension_would_hide_what_follows(pbx):
    """Asterisk skips the rest of a file at an unknown section: ours are pruned on each write."""
    pbx.run(["101", "103"])
    write_sample(pbx.folder, [name for name in EXTENSIONS if name != "101"])
    pbx.main.write_text(pbx.main.read_text() + "#tryinclude pjsip_evenport.conf\n")
    fresh = FakeAsterisk(pbx.folder)
    assert fresh.endpoint("103") == OFF and "'101' does not exist" in fresh.log[0]      # the trap is real
    pbx.fake.load(cold=True)
    seen = pbx.run(["103"], check=True)
    assert seen["changed"] and seen["pruned"] == ["101"]
    result = pbx.run(["103"])
    assert result["pruned"] == ["101"] and "does not know 101 any more" in str(result["warnings"]) and pbx.fake.endpoint("103") == ON
    assert not pbx.run(["103"])["changed"]


def test_trap_2_a_template_is_no_endpoint(pbx):
    result = pbx.run(["phone"])
    assert "does not know the extension phone" in result["msg"] and pbx.untouched()


def test_trap_3_a_missing_include_file_is_harmless(pbx):
    pbx.run(["101"])
    pbx.owned.unlink()
    assert FakeAsterisk(pbx.folder).endpoint("101") == OFF                              # #tryinclude: everything else is there
    pbx.main.write_bytes(pbx.original + b"#include pjsip_evenport.conf\n")
    assert FakeAsterisk(pbx.folder).endpoint("101") is None                             # #include: the outage
    pbx.owned.write_text("")
    assert pbx.run(["101"])["changed"] and b"#tryinclude" in pbx.main.read_bytes() and b"#include" not in pbx.main.read_bytes()
    assert pbx.fake.endpoint("101") == ON


def test_trap_3_the_include_file_is_written_first(pbx, monkeypatch):
    order = []
    monkeypatch.setattr(files, "write", lambda path, *rest, real=files.write: (order.append(os.path.basename(path)), real(path, *rest)))
    pbx.run(["101"])
    assert order == ["pjsip_evenport.conf", "pjsip.conf"]


def test_trap_4_the_file_is_not_read_through_the_manager(pbx):
    pbx.run(["101"])
    assert not pbx.fake.actions["updateconfig"] and not pbx.fake.actions["getconfig"]


def test_trap_5_a_generated_main_file_is_refused(pbx, request):
    header = b";!\n;! Automatically generated configuration file\n;! Generator: Manager\n;!\n"
    pbx.original = header + pbx.original
    pbx.main.write_bytes(pbx.original)
    result = pbx.run(["101"])
    assert result["failed"] and "UpdateConfig" in result["msg"] and "allow_generated" in result["msg"] and pbx.untouched() and pbx.fake.reloads == 0
    assert pbx.run(["101"], check=True)["failed"]
    assert pbx.run(["101"], allow_generated=True)["changed"] and pbx.fake.endpoint("101") == ON


def test_trap_5_what_updateconfig_destroyed_is_noticed_and_mended(pbx):
    pbx.run(["101"])
    header = ";!\n;! Automatically generated configuration file\n;!\n"
    pbx.main.write_text(header + pbx.original.decode() + '#include "pjsip_evenport.conf"\n')
    pbx.owned.write_text(header + "rewrite_contact = yes\nforce_rport = yes\n")
    pbx.fake.load()
    assert pbx.fake.endpoint("101") == OFF                                              # silently off
    assert pbx.run(["101"])["failed"]
    result = pbx.run(["101"], allow_generated=True)
    assert result["changed"] and result["drift"] and pbx.fake.endpoint("101") == ON


def test_a_file_edited_by_hand(pbx):
    pbx.run(["101", "102"])
    pbx.owned.write_text(pbx.owned.read_text().replace("[102]", "; note\n[102]") + "rtp_timeout=30\n")
    result = pbx.run(["101"])
    assert result["changed"] and result["drift"] and "edited by hand" in str(result["warnings"])
    assert "rtp_timeout=30" in pbx.owned.read_text() and "note" not in pbx.owned.read_text()
    assert not pbx.run(["101"])["changed"]
    pbx.owned.write_text("[secret]\npassword=pw101\n")
    result = pbx.run(["101"])
    assert "Line 1" in result["msg"] and pbx.owned.read_text() == "[secret]\npassword=pw101\n"


def test_somebody_changed_our_value_by_hand(pbx):
    pbx.run(["101"])
    pbx.owned.write_text(pbx.owned.read_text().replace("rewrite_contact=yes", "rewrite_contact=no"))
    pbx.fake.load()
    assert pbx.run(["101"])["before"]["101"] == {**ON, "rewrite_contact": False} and pbx.fake.endpoint("101") == ON


def test_values_that_do_not_arrive_put_everything_back(pbx):
    pbx.run(["102"])
    files_before = pbx.main.read_bytes(), pbx.owned.read_bytes()
    pbx.fake.faults["reload_ignored"] = True
    result = pbx.run(["101", "103"])
    assert result["code"] == "not_applied" and result["wrote"] and "extension 101 (and 1 more)" in result["msg"] and "later section" in result["msg"]
    assert (pbx.main.read_bytes(), pbx.owned.read_bytes()) == files_before and "as they were" in result["msg"]
    assert pbx.fake.endpoint("102") == ON and pbx.fake.reloads == 3


def test_first_run_put_back_leaves_no_file(pbx):
    pbx.fake.faults["reload_ignored"] = True
    assert pbx.run(["101"])["failed"] and pbx.untouched()


def test_an_endpoint_from_elsewhere_is_named(pbx):
    """Realtime or wizard: Asterisk lists it, but no file defines it, and its section would hide those that follow."""
    pbx.fake.objects["endpoint", "100"] = pbx.fake.objects["endpoint", "101"]
    elsewhere = Category("100", variables=[("type", "endpoint"), ("force_rport", "no")])
    pbx.fake.load = lambda cold=False, real=pbx.fake.load: (real(cold), pbx.fake.objects.update({("endpoint", "100"): elsewhere}))
    result = pbx.run(["100", "101"])
    assert result["code"] == "not_applied" and "extension 100" in result["msg"] and pbx.untouched()
    assert pbx.fake.endpoint("101") == OFF


def test_values_that_were_only_left_over_from_before_a_change_of_the_files(pbx):
    """Somebody put an old pjsip.conf back and did not reload: 101 looks right until the reload that 102 needs."""
    pbx.run(["101"])
    pbx.main.write_bytes(pbx.original)
    pbx.owned.unlink()
    assert pbx.run(["101", "102"])["changed"]
    assert pbx.fake.endpoint("101") == ON == pbx.fake.endpoint("102") and not pbx.run(["101", "102"])["changed"]


def test_slow_and_busy_reloads(pbx):
    pbx.fake.faults.update(slow_reload=0.4, reload_busy=1)
    assert pbx.run(["101"], verify_timeout=5)["changed"] and pbx.fake.endpoint("101") == ON and pbx.fake.reloads == 1
    pbx.fake.faults.update(slow_reload=0, reload_busy=99)
    before = pbx.owned.read_bytes()
    result = pbx.run(["102"], verify_timeout=0.6)
    assert "busy with another reload" in result["msg"] and pbx.owned.read_bytes() == before


def test_connection_lost_after_the_write_puts_the_files_back(pbx):
    pbx.fake.faults.update(hang="reload", hang_seconds=0.1)
    result = pbx.run(["101"])
    assert result["code"] == "session_lost" and result["wrote"] and pbx.untouched() and "could not be told" in result["msg"]


@pytest.mark.parametrize("name", ["pjsip.conf", "pjsip_evenport.conf"])
def test_disk_full(pbx, monkeypatch, name):
    def full(source, target, real=os.replace):
        if str(target).endswith(name) and not full.done:
            full.done = True
            raise OSError(28, "No space left on device")
        real(source, target)
    full.done = False
    monkeypatch.setattr(os, "replace", full)
    result = pbx.run(["101"])
    assert "No space left" in result["msg"] and pbx.untouched() and pbx.fake.endpoint("101") == OFF


def test_mode_and_link_of_the_main_file_stay(pbx):
    real = pbx.folder / "pjsip.real"
    pbx.main.rename(real)
    pbx.main.symlink_to("pjsip.real")
    real.chmod(0o640)
    assert pbx.run(["101"])["changed"]
    assert pbx.main.is_symlink() and real.stat().st_mode & 0o777 == 0o640 == pbx.owned.stat().st_mode & 0o777


def test_wrong_folder(pbx, tmp_path):
    assert "config_dir" in pbx.run(["101"], config_dir=str(tmp_path / "none"))["msg"]
    (tmp_path / "empty").mkdir()
    assert "does not exist" in pbx.run(["101"], config_dir=str(tmp_path / "empty"))["msg"]
    assert "plain file name" in pbx.run(["101"], include_file="../x.conf")["msg"]
    other = tmp_path / "other"
    other.mkdir()
    write_sample(other, EXTENSIONS)
    result = pbx.run(["101"], config_dir=str(other))                                    # Asterisk reads another folder
    assert result["code"] == "not_applied" and os.listdir(other) == ["pjsip.conf"]


def test_a_pbx_without_endpoints_is_not_pruned_empty(pbx):
    pbx.run(["101"])
    before = pbx.owned.read_bytes()
    pbx.fake.objects.clear()
    for state in ("present", "absent"):
        assert "has no extensions at all" in pbx.run(["101"], state=state)["msg"] and pbx.owned.read_bytes() == before


def test_permission_missing(pbx):
    pbx.fake.permissions["evenport"] = {"config"}                                       # may reload, may not read
    result = pbx.run(["101"])
    assert result["code"] == "permission_missing" and "class system" in result["msg"] and pbx.untouched()


def test_two_sites_at_the_same_time_on_one_pbx(pbx):
    pbx.fake.faults["slow_reload"] = 0.2
    errors = []

    def one(name):
        try:
            with Asterisk(Access("127.0.0.1", pbx.fake.port, "evenport", "ami-secret")) as client:
                OwnedFile(Place(str(pbx.folder), patience=10)).set(client, Wanted([name], ON))
        except Exception as error:      # noqa: BLE001 - a thread's error must reach the test
            errors.append(error)
    threads = [threading.Thread(target=one, args=(name,)) for name in EXTENSIONS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not errors and all(pbx.fake.endpoint(name) == ON for name in EXTENSIONS)
    assert not pbx.run(EXTENSIONS)["changed"]


def test_two_hundred_extensions_are_quick(tmp_path, capsys):
    names = [str(number) for number in range(1000, 1200)]
    write_sample(tmp_path, names)
    with FakeAsterisk(tmp_path) as fake:
        start = time.monotonic()
        assert Pbx(fake, tmp_path, capsys).run(names, verify_timeout=10, timeout=10)["changed"]
        assert time.monotonic() - start < 5 and fake.reloads == 1 and fake.login_attempts == 1


@pytest.mark.parametrize("odd", ["10 8", "108 ", "B\u00fcro"])
def test_a_name_that_no_section_can_have_is_that_extensions_trouble(pbx, odd):
    assert "can't be the name" in pbx.run(["101", odd])["msg"] and pbx.untouched()
    result = pbx.run(["101", odd], unknown="skip")
    assert result["changed"] and result["unknown"] == [odd] and pbx.fake.endpoint("101") == ON


@pytest.mark.parametrize("pattern", ["pjsip_*.conf", "./pjsip_evenport*", "*.conf"])
def test_a_pattern_that_would_include_our_file_too_early(pbx, pattern):
    pbx.main.write_text(f"#include {pattern}\n" + pbx.main.read_text())
    before = pbx.main.read_bytes()
    result = pbx.run(["101"])
    assert "sip_pbx_include_file" in result["msg"] and pattern.removeprefix("./") in result["msg"]
    assert pbx.main.read_bytes() == before and not pbx.owned.exists()


def test_files_are_not_written_through_a_shell(pbx):
    result = pbx.run(["101"], shell=["ssh", "root@192.0.2.10"])
    assert result["code"] == "plan_refused" and "sip_pbx_shell" in result["msg"] and pbx.untouched()
