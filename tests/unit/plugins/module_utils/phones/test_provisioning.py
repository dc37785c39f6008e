# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose settings a phone takes: told by host, port and path, and never with anybody's password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.phones.provisioning import owner


@pytest.mark.parametrize(("address", "server", "protocol"), [
    ("prov.example.net", "prov.example.net", ""), ("https://prov.example.net:8443/p/?k=hunter2", "prov.example.net:8443/p/", "https"),
    ("HTTP://admin:hunter2@prov.example.net/x", "prov.example.net/x", "http"), ("admin:hun/ter2@prov.example.net/x", "prov.example.net/x", ""),
    ("tftp://[2001:db8::1]/x", "[2001:db8::1]/x", "tftp"), ("gopher://prov.example.net", "prov.example.net", ""),
])
def test_an_address_in_any_spelling(address, server, protocol):
    assert owner(address) == {"server": server, "protocol": protocol, "protected": False}


def test_the_protocol_may_stand_apart_and_the_phone_may_protect_itself():
    assert owner("prov.example.net", "FTP", protected=True) == {"server": "prov.example.net", "protocol": "ftp", "protected": True}
    assert owner("https://prov.example.net", "ftp")["protocol"] == "https"


@pytest.mark.parametrize("address", ["", "  ", "0.0.0.0", "http://0.0.0.0/", "::", "https://", "redirect.acme.com/phones", "https://ACME.com"])
def test_nobody_owns_it(address):
    assert owner(address, factory=r"(?:.*\.)?acme\.com") == {}
    assert owner("https://acme.com.example.net", factory=r"(?:.*\.)?acme\.com")


@given(st.text(max_size=60), st.text("abc:/@?#[]%", max_size=12))
def test_what_stands_before_the_last_at_sign_is_never_told(secret, rest):
    found = owner(f"https://user:hunter2{secret}@{rest.replace('@', '')}")
    assert "hunter2" not in str(found)
