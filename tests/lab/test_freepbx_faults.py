"""FreePBX when something goes wrong while its settings are written or applied (see :mod:`tests.lab.freepbx`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError, NotApplied, Unreachable, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.box import ReloadBusy
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.freepbx import FreePbxStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_pbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import StoredOptions
from tests.fakes import fwconsole
from tests.lab.freepbx import ON, PHONES, running


@pytest.fixture
def box(mariadb, asterisk, tmp_path):
    with running(mariadb, asterisk, tmp_path) as made:
        yield made.install(PHONES)


# -- somebody else at the same moment ---------------------------------------------------------------------------------------------------
CHANGES = {
    "101": ({"rewrite_contact": "no", "force_rport": "no"}, {"rewrite_contact": "yes", "force_rport": "yes"}),
    "102": ({"rewrite_contact": None}, {"rewrite_contact": "yes"}),
}


@pytest.mark.parametrize("engine", ["InnoDB", "MyISAM"])
@pytest.mark.parametrize("theirs", [
    "UPDATE sip SET data = 'perhaps' WHERE id = '101' AND keyword = 'force_rport';",
    "DELETE FROM sip WHERE id = '101' AND keyword = 'force_rport';",
    "INSERT INTO sip VALUES ('102', 'rewrite_contact', 'no', 70);",
])
def test_a_change_in_between_stays_and_nothing_of_ours_is_written(box, theirs, engine):
    box.sql(f"ALTER TABLE sip ENGINE={engine}; {theirs}")
    before = box.sql("SELECT * FROM sip ORDER BY 1, 2;")
    with pytest.raises(DeviceError, match="Somebody else changed the NAT settings of extension 10[12] at the same moment"):
        box.store().write(CHANGES)
    assert box.sql("SELECT * FROM sip ORDER BY 1, 2;") == before


def test_what_cannot_be_taken_back_is_named(box, tmp_path):
    """A table without transactions, and a database that goes away between the refusal and the taking back."""
    box.sql("ALTER TABLE sip ENGINE=MyISAM; UPDATE sip SET data = 'perhaps' WHERE id = '101' AND keyword = 'force_rport';")
    calls = tmp_path / "asked"
    box.program("mysql", f'#!/bin/sh\necho >> {calls}\n[ $(wc -l < {calls}) -lt 4 ] || exit 1\nexec {box.server.bin}/mysql "$@"\n')
    with pytest.raises(DeviceError, match=r"Taking back what had been written failed too .*: check extension 101\.") as told:
        box.store().write(CHANGES)
    assert told.value.wrote


def test_put_back_leaves_what_somebody_changed_since(box):
    store = box.store()
    store.write(CHANGES)
    box.sql("UPDATE sip SET data = 'theirs' WHERE id = '102' AND keyword = 'rewrite_contact';")
    written = box.rows()
    with pytest.raises(DeviceError, match="extension 102 at the same moment"):
        store.write({name: (after, before) for name, (before, after) in CHANGES.items()})
    assert box.rows() == written


def test_written_and_put_back_byte_for_byte(box):
    before, store = box.sql("SELECT * FROM sip ORDER BY 1, 2;"), box.store()
    store.write(CHANGES)
    assert box.sql("SELECT * FROM sip ORDER BY 1, 2;") != before
    store.write({name: (after, before) for name, (before, after) in CHANGES.items()})
    assert box.sql("SELECT * FROM sip ORDER BY 1, 2;") == before


def test_a_locked_row_is_waited_for(box):
    """FreePBX's web page saves an extension in the same moment: delete and insert, in one transaction."""
    other = subprocess.Popen([str(box.server.bin / "mysql"), box.name], stdin=subprocess.PIPE, text=True)
    other.stdin.write("BEGIN; UPDATE sip SET data = 'theirs' WHERE id = '101' AND keyword = 'force_rport'; SELECT SLEEP(1); COMMIT;\n")
    other.stdin.flush()
    time.sleep(0.3)
    try:
        with pytest.raises(DeviceError, match="Somebody else"):
            box.store().write(CHANGES)
    finally:
        other.stdin.close()
        other.wait(10)
    assert box.sql("SELECT data FROM sip WHERE id = '101' AND keyword IN ('force_rport', 'rewrite_contact') ORDER BY keyword;").split() == ["theirs", "no"]


# -- fwconsole --------------------------------------------------------------------------------------------------------------------------
def test_no_fwconsole_is_noticed_before_anything_is_written(box):
    (box.bin / "fwconsole").unlink()
    before = box.sql("SELECT * FROM sip;")
    with pytest.raises(Unsupported, match="no program fwconsole"):
        box.set("101", check_mode=True)
    with pytest.raises(Unsupported, match="no program fwconsole"):
        box.set("101")
    with pytest.raises(Unsupported, match="no program fwconsole"):
        box.store().apply(["101"])
    assert box.sql("SELECT * FROM sip;") == before


def test_a_reload_that_fails_half_way_is_taken_back_in_the_files_too(box):
    """The first reload has written the files already; the second one, after the settings are put back, writes them anew."""
    before = box.rows()
    once = box.program("fwconsole.once", f"#!/bin/sh\nFAKE_FWCONSOLE={box.folder}/once exec {sys.executable} {fwconsole.__file__} \"$@\"\n")
    (box.folder / "once").mkdir()
    (box.folder / "once/config.json").write_text(json.dumps({**json.loads((box.folder / "config.json").read_text()), "faults": {"fails_late": True}}))
    second = (box.bin / "fwconsole").read_text().replace("#!/bin/sh\n", "")
    box.program("fwconsole", f"#!/bin/sh\nif [ ! -e {box.folder}/once/calls ]; then exec {once} \"$@\"; fi\n{second}")
    with pytest.raises(DeviceError, match=r"status 1.*The settings are as they were\.$") as told:
        box.set("101", "102")
    assert told.value.wrote and box.rows() == before and len(box.calls()) == 1
    assert "rewrite_contact=yes" not in (box.pbx.etc / "pjsip.endpoint.conf").read_text()
    assert box.options("101") == (False, False, False, True) and box.sql("SELECT value FROM admin WHERE variable = 'need_reload';") == "false\n"


def test_a_reload_that_fails_both_times_is_named(box):
    box.faults(fails=True)
    with pytest.raises(DeviceError, match="The settings are as they were, but the PBX could not be told: apply its configuration"):
        box.set("101")


def test_a_reload_that_hangs(box):
    before, store = box.rows(), box.store(timeout=2, patience=1)
    box.faults(hangs=30)
    try:
        with open_pbx(box.config) as pbx, pytest.raises(BadAnswer, match="did not come to an end within 2 s") as told:
            StoredOptions(store, 3).set(pbx, Wanted(["101"], ON))
        assert told.value.wrote and box.rows() == before
    finally:
        for pid in box.calls():                                     # left alone by the driver, on purpose
            os.kill(int(pid), signal.SIGKILL)


def test_somebody_elses_reload_is_waited_for(box):
    box.faults(busy=2)
    assert box.set("101")["applied"] and len(box.calls()) == 3 and box.options("101")[0]
    box.faults(busy=99)
    with pytest.raises(ReloadBusy, match="busy with another reload"):
        box.store(patience=0.5).apply(["101"])


def test_another_language_is_understood_by_the_flag_and_silence_is_noticed(box):
    box.faults(language="Neuladen abgeschlossen")
    assert box.set("101")["applied"]
    box.faults(silent=True)
    box.sql("UPDATE admin SET value = 'true' WHERE variable = 'need_reload';")
    with pytest.raises(NotApplied, match="FreePBX still waits for one"):
        box.store().apply(["101"])


CUT = """#!/bin/sh
shift
case "$*" in *"$(cat {folder}/cut)"*) {then} ;; esac
exec sh -c "$*"
"""


@pytest.mark.parametrize(("when", "then", "told", "written"), [
    ("fwconsole reload", "echo nowhere > {folder}/cut; exit 255", r"The settings are as they were\.$", False),
    ("fwconsole reload", "echo mysql > {folder}/cut; exit 255", "Putting the settings back failed too .*check extension 101", True),
    ("fwconsole reload", "exit 255", "The settings are as they were, but the PBX could not be told", False),
])
def test_a_connection_that_is_lost_during_the_reload(box, when, then, told, written):
    before, folder = box.rows(), box.folder
    box.config = replace(box.config, shell=(box.program("cutssh", CUT.format(folder=folder, then=then.format(folder=folder))), "root@pbx"))
    (folder / "cut").write_text(when)
    with pytest.raises(Unreachable, match=told) as lost:
        box.set("101")
    assert lost.value.wrote and (box.rows() != before) is written
    (folder / "cut").write_text("nowhere")
    assert box.set("101")["changed"] and box.options("101") == (True, True, True, False)


@pytest.mark.parametrize(("do", "known"), [("sh -c \"$*\"; echo nowhere > {folder}/cut; exit 255", True), ("exit 255", False)])
def test_a_connection_that_is_lost_while_writing(box, do, known):
    """The statements are on standard input, so it is cut at the second mysql after fwconsole was looked for: reading, then writing."""
    before, folder = box.rows(), box.folder
    text = CUT.format(folder=folder, then=f"if [ -e {folder}/read ]; then {do.format(folder=folder)}; fi; touch {folder}/read")
    box.config = replace(box.config, shell=(box.program("cutssh", text), "root@pbx"))
    (folder / "cut").write_text("mysql")
    store = FreePbxStore(Database(box.config.database, Shell(box.config.shell)), Shell(box.config.shell))
    changes = {"101": ({"rewrite_contact": "no"}, {"rewrite_contact": "yes"})}
    assert store.read(["101"])["101"]["rewrite_contact"] == "no"
    if known:
        store.write(changes)                                        # it was written, though nobody heard the answer
        assert box.rows() != before
    else:
        with pytest.raises(Unreachable, match="is not known: run again") as lost:
            store.write(changes)
        assert lost.value.wrote and box.rows() == before


def test_asterisk_is_gone(box):
    """The manager interface answers nobody: nothing is written."""
    before = box.rows()
    box.pbx.stop()
    with pytest.raises(Unreachable):
        box.set("101")
    assert box.rows() == before and box.calls() == []
