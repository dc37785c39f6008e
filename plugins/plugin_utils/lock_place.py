# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a site's lock belongs: beside the inventory source that defined its hosts, in a folder that hides no variable.

Ansible reads ``group_vars`` beside each ``-i`` source only (in a folder given with -i, not in its sub-folders), and in
``group_vars`` it takes the first of NAME, NAME.yml, NAME.yaml, NAME.json that is there: a folder hides a file of the same name.
Source: ansible.plugins.vars.host_group_vars and DataLoader.find_vars_files of ansible-core 2.19 to 2.21.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ansible import constants as C
from ansible.utils.path import basedir

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError

LOCK_FILE = "sip_ports.yml"


@dataclass
class Place:
    """``lock`` is the path of the lock file; ``text`` its content (None: there is none). ``move``: (file, new name) to be moved with it."""

    folder: str
    lock: str
    text: str | None = None
    move: tuple[str, str] | None = None

    @property
    def real_lock(self) -> str:
        return os.path.realpath(self.lock)


def find_place(site: str, inventory_files: Sequence[str | None], sources: Sequence[str], *, move: bool = False) -> Place:
    """The place of *site*'s lock. *inventory_files*: the inventory file of each host of the site; *sources*: the -i sources.

    Raises PlanError where the inventory is no file, where two locks exist, and where group_vars/<site>.yml stands alone and *move* is false.
    """
    roots = _roots(inventory_files, sources)
    if not roots:
        raise _no_file(f"{site}: its hosts come")
    places = [_place_in(root, site) for root in roots]
    locked = [place for place in places if place.text is not None]
    if len(locked) > 1:
        raise PlanError(f"{site} has two locks: {locked[0].lock} and {locked[1].lock}.", "Put all of it into one of them and remove the other.")
    place = (locked or [p for p in places if os.path.isdir(p.folder)] or [p for p in places if p.move] or places)[0]
    if place.move and not move:
        raise PlanError(
            f"{site}: a folder {place.folder}/ for the lock would hide the file {place.move[0]} and all its variables.",
            f"Move that file to {place.move[1]}; or let the plan do it: -e sip_plan_move=true (its content stays as it is).",
        )
    return place


def require_files(sources: Sequence[str]) -> None:
    """Refuse an inventory that is only a list of hosts (-i "a,b,"): it can't even have a group for a site."""
    if not any(os.path.exists(source) for source in sources):
        raise _no_file("The hosts come")


def _no_file(whose: str) -> PlanError:
    return PlanError(
        f"{whose} from no inventory file (but from a list such as -i \"a,b,\", or from add_host), so there is no place for the lock.",
        "Put the hosts into an inventory file or folder and give that with -i.",
    )


def _roots(inventory_files: Sequence[str | None], sources: Sequence[str]) -> list[str]:
    """The folders, without repetition, whose group_vars Ansible reads for hosts of these files."""
    paths = [os.path.abspath(source) for source in sources if source and os.path.exists(source)]
    roots: dict[str, None] = {}
    for name in dict.fromkeys(inventory_files):
        file = os.path.abspath(name) if name else ""
        for source in paths:
            if file and (file == source or (os.path.isdir(source) and file.startswith(os.path.join(source, "")))):
                roots[os.path.realpath(basedir(source))] = None
    return list(roots)


def _place_in(root: str, site: str) -> Place:
    base = os.path.join(root, "group_vars", site)
    for extension in ("", *C.YAML_FILENAME_EXTENSIONS):
        path = base + extension
        if os.path.isdir(path):
            lock = os.path.join(path, LOCK_FILE)
            return Place(path, lock, _read(lock))
        if os.path.exists(path):
            return Place(base, os.path.join(base, LOCK_FILE), None, (path, os.path.join(base, f"main{extension or '.yml'}")))
    return Place(base, os.path.join(base, LOCK_FILE))


def _read(path: str) -> str | None:
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} can't be read: {error}.") from error
