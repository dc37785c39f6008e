# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory, loaded afresh: the proof that writing a lock changed no other variable of any host."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultHelper
from ansible.plugins.loader import vars_loader
from ansible.vars.manager import VariableManager

LOCK_VARIABLES = ("sip_ports", "sip_ports_retired")
MAGIC = ("groups", "omit")      # the same for all hosts, and as long as the inventory; a host's own group_names are compared
Variables = dict[str, dict[str, Any]]       # host -> variable -> value, not templated


class FreshInventory:
    """The sources as a new run of Ansible would load them now. *vault_secrets*: those of the running play, so that no one asks again."""

    def __init__(self, sources: Sequence[str], playbook_dir: str, vault_secrets: Any) -> None:
        _forget_found_files()
        self._secrets = vault_secrets
        self.loader = DataLoader()
        self.loader.set_basedir(playbook_dir)
        self.loader.set_vault_secrets(vault_secrets)
        self.sources, self.playbook_dir = list(sources), playbook_dir
        self.inventory = InventoryManager(loader=self.loader, sources=self.sources)
        self._manager = VariableManager(loader=self.loader, inventory=self.inventory)

    def without_extra_vars(self) -> FreshInventory:
        """The inventory's own word: what was given on the command line is left out."""
        self._manager._extra_vars = {}
        return self

    def again(self) -> FreshInventory:
        """The same sources once more, as they are on disk now."""
        return FreshInventory(self.sources, self.playbook_dir, self._secrets)

    def variables(self) -> Variables:
        """Every variable of every host as it stands in the inventory; encrypted values as their cipher text."""
        return {
            name: {key: _plain(value) for key, value in self._manager.get_vars(host=host, include_hostvars=False).items() if key not in MAGIC}
            for name, host in self.inventory.hosts.items()
        }

    def file(self, path: str) -> Mapping[str, Any]:
        """The variables of one file, decrypted where need be."""
        data = self.loader.load_from_file(path)
        return data if isinstance(data, Mapping) else {}

    def definitions(self, hosts: Sequence[str]) -> Iterator[str]:
        """Where a lock variable is defined for *hosts* or for a group of theirs: paths of files, or words for the inventory's own text."""
        known = [self.inventory.hosts[name] for name in hosts if name in self.inventory.hosts]
        groups = {group.name: group for host in known for group in host.get_groups()}
        for kind, folder, entities in (("group", "group_vars", groups.values()), ("host", "host_vars", known)):
            for entity in entities:
                for variable in LOCK_VARIABLES:
                    if variable in entity.vars:
                        yield f"the inventory itself ({variable} of {kind} {entity.name})"
                for root in self._roots():
                    yield from self._files_with_a_lock(os.path.join(root, folder), entity.name)

    def _roots(self) -> list[str]:
        beside = [source if os.path.isdir(source) else os.path.dirname(os.path.abspath(source)) for source in self.sources if os.path.exists(source)]
        return list(dict.fromkeys(os.path.realpath(root) for root in [*beside, self.playbook_dir]))

    def _files_with_a_lock(self, folder: str, name: str) -> Iterator[str]:
        for path in self.loader.find_vars_files(folder, name) if os.path.isdir(folder) else ():
            if any(variable in self.file(path) for variable in LOCK_VARIABLES):
                yield os.path.realpath(path)


def differences(before: Variables, after: Variables) -> list[tuple[str, str]]:
    """(host, variable) pairs that differ, lock variables left out. A host that is on one side only counts with an empty variable name."""
    found = [(host, "") for host in sorted(before.keys() ^ after.keys())]
    for host in sorted(before.keys() & after.keys()):
        one, other = before[host], after[host]
        found += [
            (host, name) for name in sorted(one.keys() | other.keys())
            if name not in LOCK_VARIABLES and (name not in one or name not in other or one[name] != other[name])
        ]
    return found


def _plain(value: Any) -> Any:
    cipher_text = VaultHelper.get_ciphertext(value, with_tags=False)
    if cipher_text is not None:
        return ("vault", cipher_text)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _forget_found_files() -> None:
    """The vars plugin keeps a list of the files it found; this process (a fork for one task) needs a new look at the disk."""
    plugin = vars_loader.get("ansible.builtin.host_group_vars")
    module = sys.modules.get(type(plugin).__module__)
    for cache in ("FOUND", "NAK"):
        if hasattr(module, cache):
            getattr(module, cache).clear()
