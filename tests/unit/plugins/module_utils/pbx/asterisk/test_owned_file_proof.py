# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof after a reload, on an Asterisk that says that it has reloaded before it has."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access, Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.work import set_nat
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.pjsip_conf import write_sample
from tests.unit.plugins.module_utils.pbx.pbx_contract import ON


def test_what_was_right_before_the_reload_and_wrong_after_it_is_noticed(tmp_path):
    """Somebody took the options of 101 out of pjsip.conf and did not reload: they look right until our reload for 102."""
    write_sample(tmp_path, ["101", "102"], nat="no")
    main = tmp_path / "pjsip.conf"
    text = main.read_text("utf-8")
    main.write_text(text + "[101](+type=endpoint)\n" + "".join(f"{name}={'yes' if value else 'no'}\n" for name, value in ON.items()), "utf-8")
    with FakeAsterisk(tmp_path) as fake:
        main.write_text(text, "utf-8")
        fake.faults["slow_reload"] = 0.5
        config = Config("asterisk", Access("127.0.0.1", fake.port, "evenport", "ami-secret", timeout=3), "ami", config_dir=str(tmp_path), patience=2)
        done = set_nat(config, Wanted(["101", "102"], ON))
        assert list(done["before"]) == ["102", "include line in pjsip.conf"]    # all that could be known
        assert [{name: one[name] for name in ON} for one in done["extensions"]] == [ON, ON]
        assert [fake.endpoint(name) for name in ("101", "102")] == [ON, ON]
