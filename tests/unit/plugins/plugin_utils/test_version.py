# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which version a report says that it was made by."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.evenport.sip.plugins.plugin_utils.version import made_by
from tests.fakes.demo import CHECKOUT


def test_of_a_checkout():
    assert made_by() == f"evenport.sip {yaml.safe_load((CHECKOUT / 'galaxy.yml').read_text())['version']}"


def test_of_what_ansible_galaxy_has_installed(tmp_path):
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"collection_info": {"version": "1.2.3"}}))
    assert made_by(tmp_path) == "evenport.sip 1.2.3"


@pytest.mark.parametrize("text", ["{", "[]", "{}"])
def test_of_neither(tmp_path, text):
    (tmp_path / "MANIFEST.json").write_text(text)
    assert made_by(tmp_path) == "evenport.sip"
