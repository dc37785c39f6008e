"""The filter: two result forms, every option reaches the plan, wrong arguments are refused in one sentence."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.evenport.sip.plugins.filter.even_ports import FilterModule

even_ports = FilterModule().filters()["even_ports"]


def test_numbers_by_default():
    assert even_ports(["a", "b", "c"]) == {"a": 5060, "b": 5062, "c": 5064}
    assert even_ports([]) == {}
    assert even_ports(["a", "b"], 5300, 5400, 4) == {"a": 5300, "b": 5304}


def test_lists_with_lines_or_a_lock():
    assert even_ports(["a", "b"], lines=1) == {"a": [5060], "b": [5062]}
    assert even_ports(["a", "b"], lines={"a": 2}) == {"a": [5060, 5062], "b": [5064]}
    assert even_ports(["b", "a"], lock={"a": [5060]}) == {"a": [5060], "b": [5062]}


def test_the_result_is_the_next_lock():
    lock = even_ports(["a", "b", "c"], lines={"b": 2})
    assert even_ports(["c", "b", "a", "new"], lines={"b": 2}, lock=lock) == {**lock, "new": [5068]}


def test_withheld_ports():
    assert even_ports(["a", "b"], retired=[5060], reserved=[5064]) == {"a": 5062, "b": 5066}
    assert even_ports(["a", "b"], pins={"b": 5060}) == {"b": 5060, "a": 5062}
    accounts = {"active_accounts": {"a": [1, 2, 3]}, "brands": {"a": "grandstream"}}
    assert even_ports(["a", "b"], **accounts) == {"a": 5060, "b": 5066}
    assert even_ports(["a", "b"], lines={"a": 2}, **accounts) == {"a": [5060, 5062], "b": [5066]}


def test_absent_phones_stay_in_the_lock_where_wanted():
    assert even_ports(["b"], lock={"a": [5060]}, absent="keep") == {"a": [5060], "b": [5062]}


@pytest.mark.parametrize(("arguments", "options", "words"), [
    (["a,b"], {}, "must be a list of phones"), ([None], {}, "must be a list of phones"), ([[1]], {}, "no name"),
    ([["a", "a"]], {}, "a is in the list of phones twice"),
    ([["a"]], {"start": "x"}, "start must be a whole number"), ([["a"]], {"lines": True}, "lines must be a whole number"),
    ([["a"]], {"lines": {"a": 0}}, "a: the number of lines"), ([["a"]], {"transports": {"a": "sctp"}}, "a: 'sctp' is no transport"),
    ([["a"]], {"transports": ["tls"]}, "transports must be a mapping"), ([["a"]], {"brands": {"a": "acme"}}, "a: 'acme' is no brand"),
    ([["a"]], {"reserved": 5060}, "reserved must be a list"), ([["a"]], {"absent": "drop"}, "absent"), ([["a"]], {"pins": {"a": "x"}}, "a: a pinned port"),
    ([["a"]], {"active_accounts": {"a": [2]}}, "depends on the brand"),
    ([["a"]], {"active_accounts": {"a": [9]}, "brands": {"a": "grandstream"}}, "account 9"),
    ([["a"]], {"lock": {"old": [5060]}}, "old, unknown"), ([["a"]], {"step": 1, "transports": {"a": "TLS"}}, "a uses SIP-TLS"),
    ([[f"p{n}" for n in range(72)]], {}, "no port is left for p71 line 1: 72 phones with 72 lines"),
])
def test_refusals(arguments, options, words):
    with pytest.raises(AnsibleFilterError) as caught:
        even_ports(*arguments, **options)
    assert words in str(caught.value)
