"""The check before a rollout."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange
from ansible_collections.evenport.sip.plugins.module_utils.plan.validate import validate_site


def test_a_sound_lock_gives_one_entry_for_each_planned_line():
    lock = Lock({"a": [5060, 5062, 5064], "gone": [5066], "b": [5068]})
    phones = [Phone("a", 2), Phone("b", 2, port_scope="phone")]
    assert validate_site("acme_hq", phones, lock) == {"a": [5060, 5062], "b": [5068, None]}


@pytest.mark.parametrize("lock", [Lock(), Lock({"a": [5060]}), Lock({"a": [5060, None], "b": [5062]})])
def test_what_is_missing_comes_with_the_command_that_fixes_it(lock):
    with pytest.raises(PlanError) as caught:
        validate_site("acme_hq", [Phone("a", 2), Phone("b")], lock, inventory="inventory/example")
    assert "acme_hq: a line " in str(caught.value)
    assert str(caught.value).endswith("Run: ansible-playbook evenport.sip.plan -i inventory/example")


@pytest.mark.parametrize(("lock", "options", "words"), [
    (Lock({"a": [5060], "gone": [5060]}), {}, "gone line 1: port 5060 of the lock is duplicate"),
    (Lock({"a": [5061]}), {}, "odd"), (Lock({"a": [5060]}), {"ports": PortRange(5300, 5400)}, "outside 5300-5400"),
    (Lock({"a": [5060]}, [5060]), {}, "retired"), (Lock({"a": [5060]}), {"reserved": [5060]}, "reserved"),
])
def test_an_unsound_lock_stops_the_site(lock, options, words):
    with pytest.raises(PlanError) as caught:
        validate_site("acme_hq", [Phone("a")], lock, **options)
    assert words in str(caught.value)


def test_an_active_account_on_a_planned_port_is_named_with_both_remedies():
    with pytest.raises(PlanError) as caught:
        validate_site("acme_hq", [Phone("a", further={2: 5062}), Phone("b")], Lock({"a": [5060], "b": [5062]}))
    assert "b line 1: port 5062" in str(caught.value) and "account 2 of a" in str(caught.value)
    assert "Plan that account as a line" in caught.value.remedy and "switch it off" in caught.value.remedy
