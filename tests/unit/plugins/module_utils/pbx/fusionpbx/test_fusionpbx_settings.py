# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sip_force_contact means, which names the cache has, and what is worth a sentence: the pure part."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config, DatabaseAccess
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import config_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.directory import SHIPPED, Row, forces, unusual
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.store import FORCE, cache_keys, file_name, force_contact
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import open_nat_options

CONFIG = Config("fusionpbx", Access("127.0.0.1", 8021, "", ""), database=DatabaseAccess("postgresql", "fusionpbx"), domain="pbx.example.com")


@pytest.fixture
def store():
    return force_contact(CONFIG).store


@pytest.mark.parametrize(("now", "on", "off"), [
    (None, FORCE, None),
    ("", FORCE, None),
    ("NDLB-connectile-dysfunction", None, ""),
    ("NDLB-connectile-dysfunction-2.0", None, ""),
    ("NDLB-tls-connectile-dysfunction", None, ""),
    ("ndlb-CONNECTILE-dysfunction", None, ""),
    ("sip:somewhere@198.51.100.7", None, None),                 # a contact that somebody wrote down
])
def test_wanted(store, now, on, off):
    """None: nothing is to be changed."""
    assert store.wanted({"rewrite_contact": True, "direct_media": False}, {"sip_force_contact": now}) == ({} if on is None else {"sip_force_contact": on})
    assert store.wanted({"rewrite_contact": False}, {"sip_force_contact": now}) == ({} if off is None else {"sip_force_contact": off})
    assert store.wanted({"force_rport": True}, {"sip_force_contact": now}) == {}


def test_expected(store):
    assert store.expected({"rewrite_contact": True, "force_rport": True}) == {"rewrite_contact": True}
    assert store.expected({"rewrite_contact": False}) == {"rewrite_contact": None}
    assert store.expected({"force_rport": True}) == {}


def test_what_we_write_forces():
    assert forces(FORCE) and not forces("") and not forces(None)


def test_names_in_the_cache():
    assert cache_keys(Row("101", "", "pbx.example.com"), "pbx.example.com") == ["directory:101@pbx.example.com"]
    assert cache_keys(Row("101", "900", "ctx"), "d") == ["directory:101@d", "directory:101@ctx", "directory:900@d", "directory:900@ctx"]
    assert cache_keys(Row("101"), "d") == ["directory:101@d"]
    assert file_name("directory:101@pbx.example.com") == "directory.101@pbx.example.com"
    assert "/" not in file_name("directory:../../etc/passwd@x\\y")


def test_a_profile_as_shipped_needs_no_sentence():
    assert unusual("internal", {name: value for name, value in SHIPPED.items() if value}) == ""
    assert unusual("internal", {"apply-nat-acl": "nat.auto", "NDLB-force-rport": "safe", "aggressive-nat-detection": "false", "nat-options-ping": "no"}) == ""


def test_an_unusual_profile():
    text = unusual("wan", {"ndlb-FORCE-rport": "true", "nat-options-ping": "true"})
    assert text == ("The SIP profile wan treats NAT otherwise than FusionPBX ships it: apply-nat-acl is off (shipped: nat.auto), "
                    "NDLB-force-rport is true (shipped: safe), nat-options-ping is true (shipped: off).")


def test_another_database():
    with pytest.raises(Unsupported, match="PostgreSQL"):
        force_contact(Config("fusionpbx", CONFIG.access, database=DatabaseAccess("mysql", "fusionpbx"), domain="d"))


def test_from_the_options():
    config = config_from({"type": "fusionpbx", "domain": "pbx.example.com", "password": "x"}, writing=True)
    options = open_nat_options(config)
    assert config.access.port == 8021 and config.database.name == "fusionpbx" and options.store.directory.domain == "pbx.example.com"
