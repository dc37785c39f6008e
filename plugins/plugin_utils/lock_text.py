# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a lock file, edited where it differs and nowhere else.

A person's comments, order, quotes and indentation survive byte for byte: PyYAML's parser says where each value stands, and only
those spans are replaced. Dumping the loaded data anew, as YAML round-trip libraries do, would indent lists anew and leave a
comment that stands between two phones at the wrong one when a phone is added or removed there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.plan.lock import Lock

HEADER = (
    "# written by evenport.sip.plan; commit it\n"
    "# phone -> local SIP port of line 1, 2, ... (null: a line without a port of its own)\n"
)
Edit = tuple[int, int, str]         # replace text[start:end]


def render(text: str | None, lock: Lock, path: str = "the lock file") -> str:
    """*text* (None: no file yet) with ``sip_ports`` and ``sip_ports_retired`` as in *lock*. Raises PlanError where it can't be edited."""
    if text is None:
        return HEADER + _block("sip_ports", lock) + f"sip_ports_retired: {_flow(lock.retired)}\n"
    newline = "\r\n" if "\r\n" in text else "\n"
    document = _File(text.replace("\r\n", "\n"), path)
    edits = document.ports_edits(lock) + document.retired_edits(lock)
    out = document.text
    for start, end, new in sorted(edits, key=lambda edit: edit[:2])[::-1]:      # from the end, so that places stay true
        out = out[:start] + new + out[end:]
    if _File(out, path).lock() != (lock.ports, lock.retired):
        raise PlanError(f"{path} is written in a way that can't be edited safely.", "Write sip_ports as in the documentation of evenport.sip.port_lock.")
    return out.replace("\n", newline)


def _name(name: str) -> str:
    """*name* as YAML 1.1 reads it back as text: quoted where it would be a number, a bool, a time ..."""
    try:
        plain = yaml.safe_load(f"{name}: 0") == {name: 0} and "#" not in name
    except (yaml.YAMLError, ValueError):        # ValueError: PyYAML takes "0b_" for a number, and then fails to read it as one
        plain = False
    return name if plain else json.dumps(name, ensure_ascii=False)


def _flow(ports: Sequence[int | None]) -> str:
    return "[" + ", ".join("null" if port is None else str(port) for port in ports) + "]"


def _block(key: str, lock: Lock) -> str:
    if not lock.ports:
        return f"{key}: {{}}\n"
    return f"{key}:\n" + "".join(f"  {_name(phone)}: {_flow(entry)}\n" for phone, entry in lock.ports.items())


def _value(node: yaml.Node) -> Any:
    return SafeConstructor().construct_document(node)


class _File:
    """A parsed lock file: nodes know where they stand in the text."""

    def __init__(self, text: str, path: str) -> None:
        self.text = text if not text or text.endswith("\n") else text + "\n"
        self.path = path
        try:
            root = yaml.compose(self.text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise PlanError(f"{path} is not valid YAML: {str(error).splitlines()[0]}.", "Correct the file.") from error
        if root is not None and root.value == "":       # "---" and nothing else
            root = None
        if root is not None and not isinstance(root, yaml.MappingNode):
            raise PlanError(f"{path} is no mapping of variables (an encrypted file?).", "Keep the lock in a plain file: it holds no secret.")
        self.keys = self._pairs(root) if root is not None else {}

    def _pairs(self, node: yaml.MappingNode) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        pairs: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if key.value in pairs:
                raise PlanError(f"{self.path}: {key.value} is there twice (line {key.start_mark.line + 1}), a duplicate.", "Take one of them out.")
            pairs[key.value] = (key, value)
        return pairs

    def lock(self) -> tuple[dict[str, Any], list[Any]]:
        """The lock as YAML 1.1 reads it, for the check after an edit."""
        try:
            values = {key: _value(self.keys[key][1]) for key in ("sip_ports", "sip_ports_retired") if key in self.keys}
        except yaml.YAMLError as error:
            raise PlanError(f"{self.path}: the lock has a value that is not plain YAML: {str(error).splitlines()[0]}.", "Write plain numbers.") from error
        return values.get("sip_ports") or {}, values.get("sip_ports_retired") or []

    # -- sip_ports --------------------------------------------------------------------------------------------------------

    def ports_edits(self, lock: Lock) -> list[Edit]:
        if self.lock()[0] == lock.ports:
            return []
        if "sip_ports" not in self.keys:
            return [(len(self.text), len(self.text), _block("sip_ports", lock))]
        key, value = self.keys["sip_ports"]
        if not isinstance(value, yaml.MappingNode) or value.flow_style or not lock.ports:
            return [(key.start_mark.index, self._end(value), _block("sip_ports", lock).rstrip("\n"))]
        pairs = self._pairs(value)
        edits = []
        for phone, (name, entry) in pairs.items():
            if phone in lock.ports:
                edits += self._list_edits(name, entry, lock.ports[phone])
            else:
                edits.append((self._line_start(name), self._next_line(self._end(entry)), ""))
        new = {phone: entry for phone, entry in lock.ports.items() if phone not in pairs}
        if new:
            name, entry = list(pairs.values())[-1]
            at = self._next_line(self._end(entry))
            indent = " " * name.start_mark.column
            edits.append((at, at, "".join(f"{indent}{_name(phone)}: {_flow(ports)}\n" for phone, ports in new.items())))
        return edits

    # -- sip_ports_retired ------------------------------------------------------------------------------------------------

    def retired_edits(self, lock: Lock) -> list[Edit]:
        if self.lock()[1] == lock.retired:
            return []
        if "sip_ports_retired" not in self.keys:
            return [(len(self.text), len(self.text), f"sip_ports_retired: {_flow(lock.retired)}\n")]
        return self._list_edits(*self.keys["sip_ports_retired"], lock.retired)

    # -- places in the text -----------------------------------------------------------------------------------------------

    def _list_edits(self, key: yaml.Node, node: yaml.Node, ports: Sequence[int | None]) -> list[Edit]:
        """Turn the list at *node* into *ports*: as few numbers or lines as will do."""
        is_list = isinstance(node, yaml.SequenceNode)
        old = _value(node) if is_list else None
        if old == list(ports):
            return []
        if not is_list or node.flow_style or not node.value or not ports:
            return [(key.end_mark.index, self._end(node), f": {_flow(ports)}")]
        items = node.value
        kept = [item for item, port in zip(items, old, strict=True) if port in ports]
        kept_ports = [port for port in old if port in ports]
        if kept_ports == list(ports)[:len(kept)]:
            edits = [(self._line_start(item), self._next_line(self._end(item)), "") for item in items if item not in kept]
            added = list(ports)[len(kept):]
        elif len(ports) >= len(old):
            edits = [(item.start_mark.index, self._end(item), _flow([port])[1:-1]) for item, port in zip(items, ports, strict=False)]
            added = list(ports)[len(old):]
        else:
            return [(key.end_mark.index, self._end(node), f": {_flow(ports)}")]
        if added:
            at = self._next_line(self._end(items[-1]))
            edits.append((at, at, "".join(f"{' ' * node.start_mark.column}- {_flow([port])[1:-1]}\n" for port in added)))
        return edits

    def _end(self, node: yaml.Node) -> int:
        """Where the node's own text ends. A block's end mark stands behind the comments that follow it, so ask its last child."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(node, yaml.MappingNode) else last)
        return node.end_mark.index

    def _line_start(self, node: yaml.Node) -> int:
        return self.text.rfind("\n", 0, node.start_mark.index) + 1

    def _next_line(self, index: int) -> int:
        return self.text.index("\n", index) + 1
