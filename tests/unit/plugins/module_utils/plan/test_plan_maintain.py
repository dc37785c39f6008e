"""Retire, release, renumber: what a person asks of a lock."""

from __future__ import annotations

import pytest

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.module_utils.plan.maintain import maintain
from ansible_collections.evenport.sip.plugins.module_utils.plan.phone import Phone
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange


def test_an_absent_phone_is_kept_until_it_is_retired():
    lock = Lock({"gone": [5060, 5062], "a": [5064]})
    assert maintain([Phone("a")], PortRange(), lock).lock == lock
    upkeep = maintain([Phone("a"), Phone("new")], PortRange(), lock, retire=["gone"])
    assert upkeep.lock == Lock({"a": [5064], "new": [5066]}, [5060, 5062])
    assert upkeep.retired == [("gone", 1, 5060), ("gone", 2, 5062)]
    assert lock == Lock({"gone": [5060, 5062], "a": [5064]})


def test_a_phone_with_fewer_lines_retires_what_it_no_longer_has():
    assert maintain([Phone("a")], PortRange(), Lock({"a": [5060, 5062]}), retire=["a"]).lock == Lock({"a": [5060]}, [5062])
    one_port = [Phone("a", 2, port_scope="phone")]
    assert maintain(one_port, PortRange(), Lock({"a": [5060, 5062]}), retire=["a"]).lock == Lock({"a": [5060, None]}, [5062])


def test_a_released_port_is_free_at_once():
    upkeep = maintain([Phone("a")], PortRange(), Lock({}, [5060, 5062]), release=[5060, 5099])
    assert upkeep.lock == Lock({"a": [5060]}, [5062]) and upkeep.released == [5060]


def test_renumber_goes_by_the_list_and_spares_absent_phones_and_retired_ports():
    lock = Lock({"c": [5070], "gone": [5060], "a": [5062], "b": [5080, 5082]}, [5064])
    upkeep = maintain([Phone("a"), Phone("b"), Phone("c"), Phone("d")], PortRange(), lock, renumber=True)
    assert list(upkeep.lock.ports.items()) == [("c", [5068]), ("gone", [5060]), ("a", [5062]), ("b", [5066]), ("d", [5070])]
    assert upkeep.moved == [("c", 1, 5070, 5068), ("b", 1, 5080, 5066)]
    assert upkeep.plan.new == [("d", 1, 5070)]
    assert maintain([Phone("a"), Phone("b"), Phone("c"), Phone("d")], PortRange(), upkeep.lock, renumber=True).lock == upkeep.lock


@pytest.mark.parametrize(("name", "words"), [("x", "the lock does not have it"), ("a", "uses all its ports")])
def test_what_can_not_be_retired(name, words):
    with pytest.raises(PlanError, match=words):
        maintain([Phone("a")], PortRange(), Lock({"a": [5060]}), retire=[name], site="acme_hq")
