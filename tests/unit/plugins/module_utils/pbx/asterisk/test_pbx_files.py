# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owned include file and the line that includes it: pure text in, text out."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import Busy, DeviceError, PlanError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk import files
from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import (
    HEADER,
    Section,
    check_name,
    is_generated,
    parse,
    prune,
    render,
    with_include,
)

ON = {"rewrite_contact": True, "force_rport": True, "rtp_symmetric": True, "direct_media": False}
OWNED = "pjsip_evenport.conf"


def test_render():
    text = render({"4540r": Section(ON), "102": Section({"rewrite_contact": False}), "99": Section(ON, ("rtp_timeout=30",))})
    assert text == HEADER + """
[99](+type=endpoint)
rewrite_contact=yes
force_rport=yes
rtp_symmetric=yes
direct_media=no
rtp_timeout=30

[102](+type=endpoint)
rewrite_contact=no

[4540r](+type=endpoint)
rewrite_contact=yes
force_rport=yes
rtp_symmetric=yes
direct_media=no
"""


NAMES = st.text("0123456789abcXYZ_.-", min_size=1, max_size=8)
OPTIONS = st.dictionaries(st.sampled_from(sorted(ON)), st.booleans())


@given(st.dictionaries(NAMES, st.builds(Section, OPTIONS, st.sampled_from([(), ("rtp_timeout=30",), ("a=b", "c => d")]))))
def test_what_was_rendered_is_read_back(sections):
    text = render(sections)
    assert parse(text) == sections and render(parse(text)) == text
    assert render(dict(reversed(sections.items()))) == text


@given(st.text("[]()+=type;endpoint\n-101#!abc \\", max_size=120))
def test_no_text_breaks_the_parser(text):
    for read in (parse, lambda body: with_include(body, OWNED)):
        with contextlib.suppress(Unsupported):
            read(text)


def test_an_edited_file_keeps_options_and_loses_comments():
    text = "; mine\n[101] (+ type=endpoint) ; why\nrewrite_contact => no\nrtp_timeout = 30\n[102](+type=endpoint)\nforce_rport=maybe\n"
    text += "[101](+type=endpoint)\nforce_rport=ON\n"
    assert parse(text) == {"101": Section({"rewrite_contact": False, "force_rport": True}, ("rtp_timeout = 30",)), "102": Section()}


def test_what_updateconfig_leaves_of_ours_is_dropped():
    """Trap 5: header and sections are gone, orphans remain."""
    assert parse(";!\n;! Automatically generated configuration file\n;!\nrewrite_contact = no\nforce_rport = yes\n") == {}


@pytest.mark.parametrize("line", ["[101]", "[101](phone)", "[101](+)", "[phone](!)", "#include x.conf", "password=geheim", "garbage", "[101](+type=auth)"])
def test_what_is_not_ours_is_refused_by_line_number_without_its_text(line):
    with pytest.raises(Unsupported, match="Line 2 ") as refused:
        parse(f"; comment\n{line}\n")
    assert "geheim" not in str(refused.value)


def test_prune():
    assert prune({"101": Section(ON), "9999": Section(ON)}, ["101", "102"]) == ({"101": Section(ON)}, ["9999"])


@pytest.mark.parametrize("name", ["1 01", "101]", "101\n", "", "a,b", "a;b", "ü"])
def test_names_that_can_not_head_a_section(name):
    with pytest.raises(PlanError):
        check_name(name)


@pytest.mark.parametrize(("main", "expected"), [
    ("", f"#tryinclude {OWNED}\n"),
    ("[101]\ntype=endpoint\n", f"[101]\ntype=endpoint\n#tryinclude {OWNED}\n"),
    ("[101]\ntype=endpoint", f"[101]\ntype=endpoint\n#tryinclude {OWNED}\n"),
    ("[101]\r\ntype=endpoint\r\n", f"[101]\r\ntype=endpoint\r\n#tryinclude {OWNED}\r\n"),
    (f"[101]\n#tryinclude {OWNED}\n", None),
    (f"[101]\n#tryinclude \"{OWNED}\" ; evenport\n\n; the end\n", None),
    (f"[101]\n#include {OWNED}\n", f"[101]\n#tryinclude {OWNED}\n"),                            # a missing file would be an outage: trap 3
    (f"[101]\n#include \"{OWNED}\"\n", f"[101]\n#tryinclude {OWNED}\n"),
    (f"#tryinclude {OWNED}\n[101]\ntype=endpoint\n", f"[101]\ntype=endpoint\n#tryinclude {OWNED}\n"),      # before what it adds to
    (f"#tryinclude {OWNED}\n[101]\n#tryinclude {OWNED}\n", f"[101]\n#tryinclude {OWNED}\n"),
    (f"[101]\n;#tryinclude {OWNED}\n", f"[101]\n;#tryinclude {OWNED}\n#tryinclude {OWNED}\n"),
    (f"[101]\n;--\n#tryinclude {OWNED}\n--;\n", f"[101]\n;--\n#tryinclude {OWNED}\n--;\n#tryinclude {OWNED}\n"),
    (f"[101]\n;-- a --; x=1\n;--- no block\n#tryinclude {OWNED}\n", None),
    ("[101]\n#include other.conf\n", f"[101]\n#include other.conf\n#tryinclude {OWNED}\n"),
    ("a=\\;--b\n", f"a=\\;--b\n#tryinclude {OWNED}\n"),
])
def test_include_line_once_and_last(main, expected):
    result = with_include(main, OWNED)
    assert result == (main if expected is None else expected)
    assert with_include(result, OWNED) == result


def test_a_file_that_ends_in_a_comment_is_refused():
    with pytest.raises(Unsupported, match="block comment"):
        with_include("[101]\n;-- all of the rest\n", OWNED)


def test_generated(request):
    data = request.path.parents[4] / "data/ami"
    assert is_generated((data / "pjsip.conf.after-UpdateConfig").read_text()) and not is_generated((data / "pjsip.conf.before-UpdateConfig").read_text())


# -- files -----------------------------------------------------------------------------------------------------------------------------
def test_mode_owner_and_link_stay(tmp_path):
    real, link = tmp_path / "real.conf", tmp_path / "pjsip.conf"
    real.write_bytes("ä".encode("latin-1") + b"\r\nold\r\n")
    real.chmod(0o640)
    link.symlink_to("real.conf")
    before = files.read(str(link))
    files.write(str(link), before.text + "new\r\n", str(link))
    assert link.is_symlink() and real.read_bytes() == "ä".encode("latin-1") + b"\r\nold\r\nnew\r\n" and real.stat().st_mode & 0o7777 == 0o640
    if os.geteuid() == 0:
        os.chown(real, 12345, 23456)
        files.write(str(link), "x", str(link))
        assert (real.stat().st_uid, real.stat().st_gid) == (12345, 23456)
        files.write(str(tmp_path / "new.conf"), "x", str(link))
        assert ((tmp_path / "new.conf").stat().st_uid, (tmp_path / "new.conf").stat().st_mode & 0o777) == (12345, 0o640)
    before.put_back(str(link))
    assert real.read_bytes() == "ä".encode("latin-1") + b"\r\nold\r\n"
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("new")) == ["pjsip.conf", "real.conf"]


def test_put_back_removes_what_was_not_there(tmp_path):
    path = str(tmp_path / "new.conf")
    before = files.read(path)
    assert before.text is None
    files.write(path, "x", str(tmp_path))
    before.put_back(str(tmp_path))
    assert os.listdir(tmp_path) == []


def test_disk_full_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.conf"
    path.write_text("old")

    def full(_fd):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DeviceError, match="No space left.*old file is intact"):
        files.write(str(path), "new", str(path))
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a.conf"]


def test_one_at_a_time(tmp_path):
    with files.locked(str(tmp_path), 1), pytest.raises(Busy, match="Another run"), files.locked(str(tmp_path), 0.2):
        pass
    with files.locked(str(tmp_path), 0):
        pass
    with pytest.raises(DeviceError, match="config_dir"), files.locked(str(tmp_path / "none"), 0):
        pass
