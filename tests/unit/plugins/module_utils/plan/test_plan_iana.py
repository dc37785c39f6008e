"""The generated table of service names says what the registry's rows say."""

from __future__ import annotations

import csv
from pathlib import Path

from ansible_collections.evenport.sip.plugins.module_utils.plan.iana import NOTES, service
from ansible_collections.evenport.sip.plugins.module_utils.plan.iana_data import UDP
from ansible_collections.evenport.sip.plugins.module_utils.plan.ports import PortRange

ROWS = Path(__file__).parents[3] / "data" / "iana_5060_5200.csv"     # columns: port, transport, service name, description


def test_the_table_is_the_registry():
    registry: dict[int, tuple[str, str]] = {}
    with ROWS.open(newline="", encoding="utf-8") as rows:
        for port, transport, name, description in csv.reader(rows):
            if transport == "udp" and name:
                registry.setdefault(int(port), (name, description))
    assert registry == UDP


def test_names_and_notes():
    assert service(5060).name == "sip"
    assert service(5064).note.startswith("EPICS")
    assert service(5076).name == "" and service(5076).note == ""
    assert service(7000) == service(5076)
    assert set(NOTES) <= set(PortRange().slots)
