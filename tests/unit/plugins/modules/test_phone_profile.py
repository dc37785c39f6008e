# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args

from ansible_collections.evenport.sip.plugins.module_utils.phones.learned.profile import parse
from ansible_collections.evenport.sip.plugins.modules import phone_profile

PASSWORD = "Okapi-77"


def entry(method, path, answer, kind="application/json", data=None):
    request = {"method": method, "url": "http://127.0.0.1" + path, "headers": []}
    if data:
        request["postData"] = {"mimeType": "application/json", "text": json.dumps(data)}
    return {"startedDateTime": "2026-03-01T10:00:00Z", "request": request,
            "response": {"status": 200, "headers": [], "content": {"mimeType": kind, "text": answer if isinstance(answer, str) else json.dumps(answer)}}}


@pytest.fixture
def har(tmp_path):
    entries = [entry("GET", "/", "<title>Acme N9</title>", "text/html"), entry("POST", "/login", {"ok": True}, data={"pw": PASSWORD}),
               entry("GET", "/sip", {"name": "Desk 101", "port": 5060}), entry("POST", "/sip", {"ok": True}, data={"name": "Desk 101", "port": 5078})]
    path = tmp_path / "recording.har"
    path.write_text(json.dumps({"log": {"entries": entries}}), encoding="utf-8")
    return path


def run(capsys, har, **options):
    with patch_module_args({"har": str(har), "password": PASSWORD, "old_port": 5060, "new_port": 5078, **options}), pytest.raises(SystemExit):
        phone_profile.main()
    text = capsys.readouterr().out
    assert PASSWORD not in text and "Desk 101" not in text
    return json.loads(text)


def test_written_once_and_not_in_check_mode(capsys, har, tmp_path):
    dest = tmp_path / "acme.yml"
    checked = run(capsys, har, dest=str(dest), _ansible_check_mode=True, _ansible_diff=True)
    assert checked["changed"] and not dest.exists() and checked["diff"]["before"] == "" and "kind: learned" in checked["diff"]["after"]
    assert run(capsys, har, dest=str(dest))["changed"] and dest.read_text(encoding="utf-8") == checked["diff"]["after"]
    profile = yaml.safe_load(dest.read_text(encoding="utf-8"))
    assert parse(profile).name == "Acme N9" and profile == checked["profile"]
    again = run(capsys, har, dest=str(dest), _ansible_diff=True)
    assert not again["changed"] and again["diff"]["before"] == again["diff"]["after"]
    assert run(capsys, har, dest=str(dest), name="Acme N9 desk")["changed"]


def test_without_dest_it_only_says(capsys, har):
    result = run(capsys, har, line=2, apply="reboot")
    assert not result["changed"] and (result["profile"]["line"], result["profile"]["apply"]) == (2, "reboot")
    assert {one["confidence"] for one in result["confidence"]} <= {"high", "medium", "low"} and len(result["confidence"]) == 3


def test_what_is_not_understood_fails_and_writes_nothing(capsys, har, tmp_path):
    dest = tmp_path / "acme.yml"
    result = run(capsys, har, dest=str(dest), new_port=5090)
    assert result["failed"] and result["code"] == "not_understood" and "5090" in result["not_understood"][0] and not dest.exists()


@pytest.mark.parametrize("content", [None, "", "{}"])
def test_what_is_no_recording_is_said(capsys, tmp_path, content):
    path = tmp_path / "x.har"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    result = run(capsys, path)
    assert result["failed"] and result["code"] == "error" and result["not_understood"] == []
