"""What may go wrong while the NAT options of a real Asterisk are written: afterwards it still starts cold with all its endpoints.

The run is a process of its own, so that it can be killed like one.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import NotApplied, SessionLost, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk as Client
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from tests.lab import spaces
from tests.lab.test_asterisk_real import OFF, ON, PHONES, Lab

# Counts the steps that change the disk (or tell Asterisk) and dies at the one that it is told to, as by SIGKILL or a power cut.
RUN = textwrap.dedent("""
    import json, os, signal, sys
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import ami
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import set_nat
    port, etc, last, options = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
    steps = 0
    def counted(real):
        def call(*args, **more):
            global steps
            for _when in ("before", "after"):
                steps += 1
                if steps == last:
                    os.kill(os.getpid(), signal.SIGKILL)
                if _when == "before":
                    answer = real(*args, **more)
            return answer
        return call
    for name in ("replace", "fsync", "fchmod", "unlink"):
        setattr(os, name, counted(getattr(os, name)))
    ami.AmiClient.call = counted(ami.AmiClient.call)
    try:
        done = set_nat(Config("asterisk", Access("127.0.0.1", port, "ansible", "ami-secret"), config_dir=etc), Wanted(["101", "102"], options))
        print(json.dumps({"changed": done["changed"], "steps": steps}))
    except Exception as error:
        print(json.dumps({"error": str(error)}))
""")


@pytest.fixture
def lab(asterisk):
    asterisk.write_config(PHONES, nat_option=False)
    asterisk.start()
    return Lab(asterisk)


def run(lab, last=0, prefix=()):
    words = [*prefix, sys.executable, "-c", RUN, str(lab.pbx.ami_port), str(lab.pbx.etc), str(last), json.dumps(dict(ON))]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def cold(lab):
    """Asterisk dies as by a power cut and starts anew. The options of all its endpoints."""
    lab.pbx._process.send_signal(signal.SIGKILL)
    lab.pbx.stop()
    lab.pbx.start()
    with Client(lab.access()) as client:
        assert sorted(client.endpoints()) == PHONES
    return {name: lab.options(name) for name in PHONES}


def test_a_run_killed_at_any_step(lab):
    whole = json.loads(run(lab).stdout)
    assert whole["changed"] and whole["steps"] > 15
    for last in range(1, whole["steps"] + 1):
        lab.main.write_bytes(lab.original)
        lab.owned.unlink(missing_ok=True)
        lab.reloaded()
        assert run(lab, last).returncode == -signal.SIGKILL
        main = lab.main.read_text("utf-8").removesuffix("#tryinclude pjsip_evenport.conf\n")
        assert main == lab.original.decode(), f"step {last}: nothing of the main file is lost"
        if last % 4 == 1:                                   # a cold start takes a second
            options = cold(lab)
            assert all(options[name] in (ON, OFF) for name in ("101", "102")) and options["103"] == options["104"] == OFF
    assert "error" not in run(lab).stdout and cold(lab) == {"101": ON, "102": ON, "103": OFF, "104": OFF}
    assert "changed\": false" in run(lab).stdout


def test_a_disk_that_is_really_full(lab, tmp_path):
    """A file system of our own in a mount namespace of our own, filled to the last block. Asterisk itself stays outside."""
    try:
        spaces.check()
    except spaces.LabUnavailable as reason:
        pytest.skip(str(reason))
    copy = tmp_path / "etc"
    shutil.copytree(lab.pbx.etc, copy)
    script = tmp_path / "full"
    script.write_text(textwrap.dedent(f"""
        set -e
        mount -t tmpfs -o size=256k none {lab.pbx.etc}
        cp {copy}/pjsip.conf {lab.pbx.etc}/
        dd if=/dev/zero of={lab.pbx.etc}/filler bs=1k 2>/dev/null || true
        "$@"
        cmp {copy}/pjsip.conf {lab.pbx.etc}/pjsip.conf
        ls -A {lab.pbx.etc}
    """))
    done = run(lab, prefix=("unshare", "--map-root-user", "--mount", "sh", str(script)))
    answer, *left = done.stdout.splitlines()
    assert "No space left on device. The old file is intact" in json.loads(answer)["error"], done.stdout + done.stderr
    assert sorted(left) == ["filler", "pjsip.conf"] and done.returncode == 0
    assert lab.main.read_bytes() == lab.original and cold(lab) == dict.fromkeys(PHONES, OFF)


def test_asterisk_dies_in_the_middle_of_the_reload(lab):
    """Lost connection while it is being told: both files are put back, and a start afterwards knows nothing of the attempt."""
    with Client(lab.access()) as client:
        real = client.reload

        def reload():
            lab.pbx._process.send_signal(signal.SIGKILL)
            real()
        client.reload = reload
        with pytest.raises(SessionLost) as lost:
            OwnedFile(Place(str(lab.pbx.etc), patience=1)).set(client, Wanted(["101"], ON))
    assert lost.value.wrote and "files are as they were" in str(lost.value)
    assert lab.main.read_bytes() == lab.original and not lab.owned.exists()
    assert cold(lab) == dict.fromkeys(PHONES, OFF)
    assert lab.set(["101"])["changed"] and cold(lab)["101"] == ON


def test_a_wrong_main_file(lab):
    (lab.pbx.etc / "other.conf").write_text("; nobody includes this\n")
    with pytest.raises(NotApplied, match="other.conf defines no endpoint 101"):
        lab.set(["101"], patience=1, place={"main_file": "other.conf"})
    assert (lab.pbx.etc / "other.conf").read_text() == "; nobody includes this\n" and not lab.owned.exists()
    assert cold(lab) == dict.fromkeys(PHONES, OFF)


@pytest.mark.parametrize("left", ["[101](+type=endp", "[101](+type=endpoint)\nrewrite_con", ""])
def test_an_include_file_that_somebody_left_half_written(lab, left):
    lab.set(["101", "102"])
    lab.owned.write_text(lab.owned.read_text().split("[101]")[0] + left)
    options = cold(lab)
    assert set(map(str, options.values())) <= {str(ON), str(OFF)}
    try:
        lab.set(["101", "102"])
    except Unsupported as error:                            # it may be somebody's own; it is named, and nothing is overwritten
        assert "include file is nothing that evenport.sip writes" in str(error)
        lab.owned.unlink()
        lab.set(["101", "102"])
    assert cold(lab) == {"101": ON, "102": ON, "103": OFF, "104": OFF}


def test_a_missing_include_file_at_a_cold_start(lab):
    lab.set(["101"])
    lab.owned.unlink()
    assert cold(lab) == dict.fromkeys(PHONES, OFF)
    assert lab.set(["101"])["changed"] and cold(lab)["101"] == ON
