# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What evenport.sip.pbx_inventory takes for reads; and that its documented options are the real ones."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.evenport.sip.plugins.action.pbx_inventory import ARGUMENTS, _reads
from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.modules import pbx_inventory

READ = {"registrations": [], "extensions": []}


def test_a_dictionary_and_the_results_of_a_loop():
    assert _reads({"pbx1": READ}) == {"pbx1": READ}
    looped = {**READ, "item": {"key": "pbx1", "value": ["101"]}}
    assert _reads([looped]) == {"pbx1": looped}


@pytest.mark.parametrize("given", ["pbx1", 7, ["pbx1"], [READ], [{**READ, "item": "pbx1"}], {"pbx1": "x"}, {"": READ}, {7: READ}])
def test_anything_else_is_refused(given):
    with pytest.raises(PlanError, match="is no result of"):
        _reads(given)


def test_a_pbx_that_could_not_be_read_is_named():
    with pytest.raises(PlanError, match="pbx2 could not be read: refused"):
        _reads({"pbx1": READ, "pbx2": {"failed": True, "msg": "refused"}})


def test_documented_options_are_the_real_ones():
    documented = yaml.safe_load(pbx_inventory.DOCUMENTATION)["options"]
    assert {name: {key: value for key, value in option.items() if key != "description"} for name, option in documented.items()} == ARGUMENTS
    for task in yaml.safe_load(pbx_inventory.EXAMPLES):
        assert set(task.get("evenport.sip.pbx_inventory", ())) <= set(ARGUMENTS)
