"""Editing a lock file: what a person wrote stays byte for byte, only what differs is replaced."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock
from ansible_collections.evenport.sip.plugins.plugin_utils.lock_text import render

BY_HAND = """\
---
# our site
sip_ports:   # phones
    "front-desk": [5060, 5062]   # the boss
    # the kitchen has a bad cable
    'kitchen': [ 5064 ]
    lobby:
      - 5066   # old wiring
      - null
    # end of the phones

# gone
sip_ports_retired: [5070]  # until May
other: {kept:   "as is"}
"""


def test_a_new_file():
    text = render(None, Lock({"front-desk": [5060, None], "1001": [5062], "no": [5064], "12:30": [5066], "a b": [5068]}, [5070]))
    assert text == (
        "# written by evenport.sip.plan; commit it\n"
        "# phone -> local SIP port of line 1, 2, ... (null: a line without a port of its own)\n"
        "sip_ports:\n  front-desk: [5060, null]\n  \"1001\": [5062]\n  \"no\": [5064]\n  \"12:30\": [5066]\n  a b: [5068]\nsip_ports_retired: [5070]\n"
    )


def lock_by_hand():
    return Lock({"front-desk": [5060, 5062], "kitchen": [5064], "lobby": [5066, None]}, [5070])


def test_nothing_to_do_leaves_every_byte():
    assert render(BY_HAND, lock_by_hand()) == BY_HAND


def test_a_new_phone_is_one_new_line():
    lock = lock_by_hand()
    lock.ports["new"] = [5068]
    assert render(BY_HAND, lock) == BY_HAND.replace("      - null\n", "      - null\n    new: [5068]\n")


def test_a_new_line_is_one_number():
    lock = lock_by_hand()
    lock.ports["kitchen"].append(5072)
    lock.ports["lobby"][1] = 5074
    lock.ports["lobby"].append(5076)
    expected = BY_HAND.replace("[ 5064 ]", "[5064, 5072]").replace("      - null\n", "      - 5074\n      - 5076\n")
    assert render(BY_HAND, lock) == expected


def test_a_retired_phone_goes_with_its_line_alone():
    lock = lock_by_hand()
    del lock.ports["kitchen"]
    lock.retired.append(5064)
    assert render(BY_HAND, lock) == BY_HAND.replace("    'kitchen': [ 5064 ]\n", "").replace("[5070]", "[5070, 5064]")


def test_the_last_phone_goes_and_another_comes():
    lock = lock_by_hand()
    del lock.ports["lobby"]
    lock.ports["new"] = [5066]
    assert render(BY_HAND, lock) == BY_HAND.replace("    lobby:\n      - 5066   # old wiring\n      - null\n", "    new: [5066]\n")


def test_a_block_list_of_retired_ports():
    text = "sip_ports: {a: [5060]}\nsip_ports_retired:\n- 5062  # lobby\n- 5064  # kitchen\n"
    assert render(text, Lock({"a": [5060]}, [5064, 5066])) == "sip_ports: {a: [5060]}\nsip_ports_retired:\n- 5064  # kitchen\n- 5066\n"
    assert render(text, Lock({"a": [5060]}, [])) == "sip_ports: {a: [5060]}\nsip_ports_retired: []  # kitchen\n"


@pytest.mark.parametrize("text", [
    "", "# only a comment", "---\n", "other: 1\n", "sip_ports:\n", "sip_ports: {}\nsip_ports_retired:\n", "sip_ports: {x: [5080]}",
])
def test_files_without_much_of_a_lock(text):
    out = yaml.safe_load(render(text, Lock({"a": [5060]}, [5062])))
    assert (out["sip_ports"], out["sip_ports_retired"]) == ({"a": [5060]}, [5062])
    assert "other" not in text or out["other"] == 1


def test_line_ends_of_windows_stay():
    lock = lock_by_hand()
    lock.ports["new"] = [5068]
    assert render(BY_HAND.replace("\n", "\r\n"), lock) == render(BY_HAND, lock).replace("\n", "\r\n")


@pytest.mark.parametrize(("text", "words"), [
    ("sip_ports: [", "not valid YAML"), ("- a\n", "no mapping"), ("$ANSIBLE_VAULT;1.1;AES256\n3132\n", "encrypted"),
    ("sip_ports:\n  a: [5060]\n  a: [5062]\n", "a is there twice (line 3), a duplicate"), ("sip_ports: {a: [!vault x]}\n", "not plain YAML"),
])
def test_files_that_can_not_be_edited(text, words):
    with pytest.raises(PlanError) as caught:
        render(text, Lock({"a": [5060]}), "group_vars/acme_hq/sip_ports.yml")
    assert words in str(caught.value) and "group_vars/acme_hq/sip_ports.yml" in str(caught.value)


PORTS = st.one_of(st.none(), st.integers(1024, 65535))
ENTRIES = st.dictionaries(st.text("abz019-_.: #'\"", min_size=1, max_size=6).map(str.strip).filter(bool), st.lists(PORTS, min_size=1, max_size=3), max_size=6)
LOCKS = st.builds(Lock, ENTRIES, st.lists(st.integers(1024, 65535), max_size=4, unique=True))


@given(LOCKS, LOCKS, st.booleans())
def test_any_lock_can_become_any_other(one, other, block_style):
    text = render(None, one)
    if block_style:
        text = yaml.safe_dump({"before": 1, "sip_ports": one.ports, "sip_ports_retired": one.retired, "z": 2}, sort_keys=False)
    out = yaml.safe_load(render(text, other))
    assert (out["sip_ports"], out["sip_ports_retired"]) == (other.ports, other.retired)
