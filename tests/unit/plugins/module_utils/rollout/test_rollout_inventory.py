# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From inventory variables to sites and phones: what is accepted, who carries an error, and that the roles spell the same variables."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.phones.arguments import TARGET, WANTED
from ansible_collections.evenport.sip.plugins.module_utils.rollout.inventory import PHONE_OPTIONS, SitePhone, sites_of

CHECKOUT = Path(__file__).resolve().parents[5]


def host(site="acme", ports=None, **variables):
    return {"sip_site": site, "sip_ports": {"a": [5060], "b": [5062]} if ports is None else ports, **variables}


def test_phones_keep_inventory_order_and_get_the_ports_of_the_lock():
    site = sites_of({"b": host(), "a": host()})["acme"]
    assert [(phone.name, phone.ports) for phone in site.phones] == [("b", [5062]), ("a", [5060])]
    assert site.error is None


def test_a_host_without_a_site_is_no_phone():
    assert sites_of({"pbx": {"sip_pbx_user": "x"}, "odd": {"sip_site": ""}}) == {}


def test_a_site_with_a_phone_that_the_lock_does_not_know_carries_the_command_that_fixes_it():
    sites = sites_of({"a": host(), "newcomer": host(), "far": host("other", {"far": [5060]})}, "inv/ -i more/")
    assert "newcomer" in str(sites["acme"].error)
    assert "ansible-playbook evenport.sip.plan -i inv/ -i more/" in str(sites["acme"].error)
    assert sites["other"].error is None
    assert [phone.ports for phone in sites["acme"].phones] == [[], []]


def test_a_phone_left_out_by_the_limit_keeps_its_port_and_is_no_error():
    site = sites_of({"b": host()})["acme"]
    assert (site.error, site.phones[0].ports) == (None, [5062])


def test_the_factory_port_of_an_account_that_nobody_planned_is_taken():
    active = {"sip_phone_brand": "grandstream", "sip_phone_active_accounts": [1, 2]}
    error = sites_of({"a": host(**active), "b": host()})["acme"].error
    assert "b line 1" in str(error) and "5062" in str(error) and "account 2 of a" in str(error)
    assert sites_of({"a": host(**active, sip_ports={"a": [5060, 5066]}, sip_extensions=["1", "2"])})["acme"].error is None
    assert "brand" in str(sites_of({"a": host(sip_phone_active_accounts=[2])})["acme"].error)
    assert "list of account numbers" in str(sites_of({"a": host(sip_phone_active_accounts="2")})["acme"].error)


def test_a_softphone_needs_no_port():
    site = sites_of({"a": host(), "soft": host(sip_phone_kind="softphone", sip_extensions=["9"])})["acme"]
    assert site.error is None
    assert [(line.phone, line.extension, line.port, line.managed) for line in site.lines()] == [("a", "", 5060, True), ("soft", "9", None, False)]


def test_fewer_extensions_than_ports_in_the_lock_means_fewer_lines():
    ports = {"a": [5060, 5062], "b": [5064]}
    assert sites_of({"a": host(ports=ports, sip_extensions=["101"])})["acme"].phones[0].ports == [5060]


@pytest.mark.parametrize(("given", "extensions"), [
    (["101", 102], ["101", "102"]), ("101", ["101"]), (101, ["101"]), ([None], [""]), ([], []), (None, []),
])
def test_extensions_are_text_however_they_are_written(given, extensions):
    assert sites_of({"a": host(sip_extensions=given)})["acme"].phones[0].extensions == extensions


def test_a_phone_with_extensions_that_are_no_list_is_refused_alone():
    site = sites_of({"a": host(sip_extensions={"1": "101"}, ports={"b": [5062]}), "b": host(ports={"b": [5062]})})["acme"]
    assert "acme/a: sip_extensions must be a list" in str(site.phones[0].error)
    assert (site.error, site.phones[1].error, site.phones[1].ports) == (None, None, [5062])


@pytest.mark.parametrize(("name", "value"), [
    ("sip_port_start", "many"), ("sip_port_end", 5060.5), ("sip_port_step", True), ("sip_ports_reserved", "5060"), ("sip_ports_reserved", ["x"]),
])
def test_a_site_variable_that_is_no_number_is_named(name, value):
    assert name in str(sites_of({"a": host(**{name: value})})["acme"].error)


def test_a_reserved_port_counts_as_text_too():
    assert "5060" in str(sites_of({"a": host(sip_ports_reserved=["5060"])})["acme"].error)


def test_the_range_is_the_sites_own():
    site = sites_of({"a": host(ports={"a": [6000]}, sip_port_start="6000", sip_port_end="6010")})["acme"]
    assert (site.error, site.range.start, site.range.end) == (None, 6000, 6010)


def test_options_leave_out_what_is_empty_and_keep_what_is_false():
    phone = SitePhone("kitchen", "acme", {"sip_phone_random_port": False, "sip_mac": "", "sip_phone_port": None}, ports=[5060, None])
    assert phone.options() == {"host": "kitchen", "random_port": False, "ports": [5060, None]}
    assert SitePhone("kitchen", "acme", {"ansible_host": "192.0.2.1"}).options() == {"host": "192.0.2.1"}


@given(st.lists(st.text("0123456789", min_size=1, max_size=4), max_size=4), st.lists(st.none() | st.integers(5060, 5200), max_size=4))
def test_lines_are_numbered_from_one_and_lose_neither_extension_nor_port(extensions, ports):
    lines = SitePhone("a", "acme", {}, extensions=extensions, ports=ports).lines()
    assert [line.line for line in lines] == list(range(1, max(len(extensions), len(ports)) + 1))
    assert [line.extension for line in lines][:len(extensions)] == extensions
    assert [line.port for line in lines][:len(ports)] == ports


def test_the_role_spells_each_option_with_the_same_variable_as_the_scan():
    block = yaml.safe_load((CHECKOUT / "roles/phones/tasks/move.yml").read_text(encoding="utf-8"))[0]
    spelled = {**block["module_defaults"]["evenport.sip.phone"], **block["block"][0]["evenport.sip.phone"]}
    assert set(PHONE_OPTIONS) <= set(spelled)
    for option, variable in PHONE_OPTIONS.items():
        assert variable in str(spelled[option]).replace("(", " ").split(), option


def test_every_option_of_the_scan_is_one_of_the_module_and_documented_in_the_role():
    spec = yaml.safe_load((CHECKOUT / "roles/phones/meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    assert set(PHONE_OPTIONS) <= {*TARGET, *WANTED}
    assert {*PHONE_OPTIONS.values()} - {"ansible_host"} <= set(spec)
