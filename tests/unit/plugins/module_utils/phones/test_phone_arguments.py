# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.doc_fragments.phone import ModuleDocFragment
from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError
from ansible_collections.evenport.sip.plugins.module_utils.phones import arguments
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS, EVIDENCE, default_ports
from ansible_collections.evenport.sip.plugins.module_utils.phones.profile import KINDS
from ansible_collections.evenport.sip.plugins.module_utils.phones.recognise import PROBES, PROFILES
from ansible_collections.evenport.sip.plugins.module_utils.phones.settings import SETTINGS, Place, flatten, unflatten
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target, plain_mac
from ansible_collections.evenport.sip.plugins.modules import phone, phone_info

# ---------------------------------------------------------------------- the two shapes


def _values(name):
    setting = SETTINGS[name]
    return {"bool": st.booleans(), "int": st.integers(setting.low or 1, setting.high or 1), "str": st.sampled_from(setting.choices or ("x",))}[setting.kind]


PLACES = st.sampled_from([Place(name, line) for name, one in SETTINGS.items() for line in (range(1, 7) if one.per_line else (0,))])
FLAT = st.lists(PLACES, unique=True).flatmap(lambda places: st.fixed_dictionaries({place: _values(place.setting) for place in places}))


@given(FLAT)
def test_flat_and_back(flat):
    assert flatten(unflatten(flat)) == flat


def test_the_users_shape():
    shape = {"random_port": False, "keep_alive_interval": 20, "lines": [{"line": 1, "local_port": 5060, "nat_traversal": "keep_alive", "rport": True}]}
    assert unflatten(flatten(shape)) == shape


def test_text_from_templates_is_taken():
    assert flatten({"random_port": "no", "lines": [{"line": "2", "local_port": "5062"}]}) == {Place("random_port"): False, Place("local_port", 2): 5062}


@pytest.mark.parametrize("wrong", [
    {"prot": 1}, {"random_port": "maybe"}, {"keep_alive_interval": 0}, {"local_port": 5060}, {"lines": [{"line": 1, "random_port": True}]},
    {"lines": [{"local_port": 5060}]}, {"lines": [{"line": 0, "local_port": 5060}]}, {"lines": {"line": 1}}, {"lines": "x"}, {"lines": [5060]},
    {"lines": [{"line": 1, "local_port": 70000}]}, {"lines": [{"line": 1, "local_port": True}]}, {"lines": [{"line": 1, "local_port": 5060.5}]},
    {"lines": [{"line": 1, "nat_traversal": "magic"}]}, {"lines": [{"line": 1, "rport": True}, {"line": 1, "rport": False}]},
])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(EvenportError):
        flatten(wrong)


# ---------------------------------------------------------------------- options


def test_wanted_from_options():
    assert arguments.wanted_from({"ports": [5060, None, "5064"], "random_port": False, "nat_traversal": "keep_alive", "rport": None}) == {
        "random_port": False, "lines": [{"line": 1, "local_port": 5060, "nat_traversal": "keep_alive"}, {"line": 2, "nat_traversal": "keep_alive"},
                                        {"line": 3, "local_port": "5064", "nat_traversal": "keep_alive"}]}
    assert arguments.wanted_from({"rport": True}) == {"lines": [{"line": 1, "rport": True}]}
    assert arguments.wanted_from({"ports": [None]}) == {} and arguments.wanted_from({}) == {}


def test_wanted_from_restore():
    before = {"lines": [{"line": 2, "local_port": 5060}]}
    assert arguments.wanted_from({"restore": before, "random_port": True}) == before
    with pytest.raises(EvenportError):
        arguments.wanted_from({"restore": {"x": 1}})


def test_target_from_options():
    target = arguments.target_from({"host": "192.0.2.1", "password": "secret", "mac": "", "port": None, "timeout": None}, "kitchen")
    assert target == Target("kitchen", "192.0.2.1", password="secret")
    assert "secret" not in repr(target)


@pytest.mark.parametrize(("wrong", "word"), [
    ({"mac": "00:0b"}, "sip_mac"), ({"host": "http://192.0.2.1/"}, "ansible_host"), ({"port": 70000}, "sip_phone_port"),
    ({"timeout": -1}, "sip_phone_timeout")])
def test_wrong_targets_are_refused(wrong, word):
    with pytest.raises(EvenportError, match=word):
        arguments.target_from({"host": "192.0.2.1", "password": "x", **wrong})


@pytest.mark.parametrize("text", ["00:0B:82:12:34:56", "000b.8212.3456", "00-0b-82-12-34-56", "000B82123456"])
def test_spellings_of_a_mac(text):
    assert plain_mac(text) == "000b82123456"


# ---------------------------------------------------------------------- documentation == specification


def _spec_of(documented):
    """Documented options, as an argument spec."""
    keys = ("type", "default", "choices", "required", "elements")
    return {name: {key: option[key] for key in keys if key in option} for name, option in documented.items()}


def _plain(spec):
    return {name: {key: value for key, value in option.items() if key != "no_log"} for name, option in spec.items()}


def test_the_fragment_mirrors_the_target_options():
    assert _spec_of(yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]) == _plain(arguments.TARGET)


def test_the_module_documents_the_rest():
    assert _spec_of(yaml.safe_load(phone.DOCUMENTATION)["options"]) == _plain(arguments.WANTED)
    assert "options" not in yaml.safe_load(phone_info.DOCUMENTATION)


def test_every_word_of_the_vocabulary_has_its_option():
    assert {setting.option for setting in SETTINGS.values()} <= set(arguments.WANTED)
    assert arguments.WANTED["nat_traversal"]["choices"] == list(SETTINGS["nat_traversal"].choices)


def test_secrets_are_marked():
    assert {name for name, option in {**arguments.TARGET, **arguments.WANTED}.items() if option.get("no_log")} == {"password", "proxy", "session"}


# ---------------------------------------------------------------------- brands


def test_every_brand_has_a_probe_and_says_its_scope():
    assert set(BRANDS) == set(PROBES) and set(PROFILES) == set(KINDS)
    for brand in BRANDS.values():
        assert brand.port_scope in ("line", "phone", "varies") and brand.apply in ("live", "reboot") and brand.models and brand.how


def test_every_brand_says_how_we_know_and_none_claims_to_be_verified():
    for brand in BRANDS.values():
        assert brand.evidence and {grade for grade, dummy in brand.evidence} <= set(EVIDENCE)
        assert "verif" not in str(brand.evidence).lower()


def test_default_ports():
    assert default_ports("grandstream") == (5060, 5062, 5064, 5066, 5068, 5070) and default_ports("unheard-of") == ()
