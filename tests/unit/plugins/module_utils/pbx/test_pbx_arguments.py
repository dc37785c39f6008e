# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a PBX is reached: variables and options are one list, every product has its code, and what is missing is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import FILE_VARIABLES, NAT_SPEC, PBX_OPTIONS, PBX_VARIABLES, config_from
from ansible_collections.evenport.sip.plugins.module_utils.pbx.opening import READERS, WRITERS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import EVIDENCE, PRODUCTS

ROLE = Path(__file__).parents[5] / "roles/extensions/meta/argument_specs.yml"
SPEC = yaml.safe_load(ROLE.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]


def test_every_product_can_be_read_and_written():
    assert set(READERS) == set(WRITERS) == set(PRODUCTS)


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=str)
def test_a_row_says_what_the_code_can_use(product):
    assert product.ports in ("both", "seen", "none") and {grade for grade, dummy in product.evidence} <= set(EVIDENCE)
    options = [option for key in product.needs for option in product.needs[key]]
    assert set(options) <= set(PBX_OPTIONS) and set(product.needs) <= {"always", "writing", *product.read_by}
    assert {way for way in product.read_by if way} <= set(PBX_OPTIONS["read_by"]["choices"])


def test_every_option_has_its_variable_and_every_variable_is_documented():
    assert set(PBX_VARIABLES) == set(PBX_OPTIONS) - {"pbx"}
    for option, variable in {**PBX_VARIABLES, **FILE_VARIABLES}.items():
        real, documented = NAT_SPEC[option], SPEC[variable]
        assert documented["type"] == real["type"] and documented.get("choices") == real.get("choices"), variable
        if real.get("default") not in (None, [], {}):
            assert documented["default"] == real["default"], variable
    extra = {name for name in SPEC if name.startswith("sip_pbx_")} - set(PBX_VARIABLES.values()) - set(FILE_VARIABLES.values())
    assert not extra


@pytest.mark.parametrize(("params", "named"), [
    ({"type": "asterisk"}, "sip_pbx_user and sip_pbx_password"),
    ({"type": "asterisk_realtime", "read_by": "cli"}, "sip_pbx_database"),
    ({"type": "wazo", "username": "a", "password": "b"}, "sip_pbx_api"),
    ({"type": "fusionpbx", "password": "b"}, "sip_pbx_domain"),
    ({"type": "web_only"}, "sip_pbx_status_file"),
    ({"type": "chan_sip", "read_by": "database"}, "can't be read by database"),
    ({"type": "asterisk", "read_by": "cli", "port": 70000}, "70000"),
    ({"type": "asterisk", "read_by": "cli", "timeout": -1}, "-1"),
])
def test_what_is_missing_or_wrong_is_named(params, named):
    with pytest.raises(PlanError, match=named):
        config_from(params, writing=True)


def test_reading_needs_less_than_writing():
    assert config_from({"type": "wazo", "username": "a", "password": "b"}).api is None


def test_ports_and_databases_follow_the_product():
    assert config_from({"type": "asterisk", "username": "a", "password": "b", "tls": True}).access.port == 5039
    fusion = config_from({"type": "fusionpbx", "read_by": "cli", "domain": "a.example", "database": {"socket": "/run/x"}})
    assert (fusion.database.engine, fusion.database.name, fusion.database.socket) == ("postgresql", "fusionpbx", "/run/x")
    assert "secret-word" not in repr(config_from({"type": "freepbx", "read_by": "cli", "password": "secret-word", "database": {"password": "secret-word"}}))
