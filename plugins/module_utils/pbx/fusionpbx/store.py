# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NAT option of FusionPBX's extensions: sip_force_contact in its database, and the cache that stands before it.

The page of an extension writes the row and deletes the cache's ``directory:EXTENSION@CONTEXT``, and the same for its number alias [H:
extension_edit.php, cache.php]; FreeSWITCH's side keeps it as ``directory:EXTENSION@DOMAIN`` [H: directory.lua]. Both names are the same
on most PBXs; here both are deleted. The cache is a folder of files or a memcached, which FreeSWITCH's mod_memcache speaks to: a file that isn't there is no
matter, and neither is a module that isn't loaded, so which of them it is needs no asking. That it worked is seen in what FreeSWITCH is
given afterwards. Registrations stay as they are until the phone registers the next time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.evenport.sip.plugins.module_utils.errors import DeviceError, EvenportError, Unsupported
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NatResult, Pbx, Wanted
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.directory import SETTING, Directory, Row, forces, is_fixed, unusual
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.pbx import FusionPbx
from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.switch import Switch, word
from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql_store import SqlStore
from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import Settings, StoredOptions

# "Rewrite Contact IP and Port 2.0" on FusionPBX's page: FreeSWITCH sends to the packet's source and keeps what the phone claims. Plain
# NDLB-connectile-dysfunction overwrites the claim, so that nobody could tell a translating router from a wrong phone.
FORCE = "NDLB-connectile-dysfunction-2.0"
_AT_ONCE = 200                          # files of one rm


class ForceContactStore(SqlStore):
    """*switch*: the FreeSWITCH that the reading side is logged in to; set before anything is applied."""

    table = "v_extensions"

    def __init__(self, directory: Directory, shell: Shell, profiles: Sequence[str]) -> None:
        super().__init__(directory.database)
        self.directory, self.shell, self.profiles = directory, shell, tuple(profiles)
        self.switch: Switch | None = None
        self._fixed: list[str] = []

    def read(self, names: Sequence[str]) -> dict[str, Settings]:
        found = self.current(names)
        self._fixed = [name for name, settings in found.items() if is_fixed(settings[SETTING])]
        return found

    def wanted(self, options: Mapping[str, bool], now: Mapping[str, str | None]) -> dict[str, str]:
        want, have = options.get("rewrite_contact"), now.get(SETTING)
        if want is None or is_fixed(have) or forces(have) == want:
            return {}
        return {SETTING: FORCE if want else ""}

    def expected(self, options: Mapping[str, bool]) -> dict[str, bool | None]:
        """"Off" is no answer of FreeSWITCH: it goes on to detect NAT by itself."""
        return {"rewrite_contact": options["rewrite_contact"] or None} if "rewrite_contact" in options else {}

    def current(self, names: Sequence[str]) -> dict[str, Settings]:
        return {name: {SETTING: row.force} for name, row in self.directory.rows(names).items()}

    def statements(self, name: str, before: Settings, after: Settings) -> list[str]:
        return self.database.exactly_one(self.directory.update(name, before[SETTING], after[SETTING]))

    def apply(self, extensions: Sequence[str]) -> None:
        keys = [key for row in self.directory.rows(extensions).values() for key in cache_keys(row, self.directory.domain)]
        self._forget_files(keys)
        if self.switch is not None and self.switch.api("module_exists mod_memcache") == "true":
            answers = self.switch.ask([f"memcache delete {word(key, 'name in the cache')}" for key in keys])
            if any(not answer.startswith("+OK") and "NOT FOUND" not in answer for answer in answers):
                raise DeviceError(f"{self.switch} can't delete from FusionPBX's cache.", "Look after memcached, then run again.")

    def notes(self) -> list[str]:
        found = [unusual(profile, settings) for profile, settings in self.directory.profile_settings(self.profiles).items()]
        if self._fixed:
            found.append(f"A contact of its own stands in {SETTING} of extension {', '.join(self._fixed)} and was left there.")
        return [note for note in found if note]

    def _forget_files(self, keys: Sequence[str]) -> None:
        folder = self.directory.cache_folder()
        files = [f"{folder}/{file_name(key)}" for key in keys]
        for start in range(0, len(files), _AT_ONCE):
            try:
                self.shell.run("rm", "-f", "--", *files[start:start + _AT_ONCE])
            except EvenportError as error:
                raise DeviceError(f"FusionPBX's cache in {folder} can't be cleared: {error.what}", "Run as root on the PBX (become: true).") from error


class ForceContact(StoredOptions):
    """The algorithm that all such PBXs share, on the login that the reading side has already."""

    store: ForceContactStore

    def set(self, pbx: Pbx, wanted: Wanted, *, check_mode: bool = False) -> NatResult:
        if not isinstance(pbx, FusionPbx):
            raise Unsupported("The NAT options of FusionPBX need FusionPBX as the PBX that is read.")
        for name in wanted.extensions:
            word(str(name), "extension")
        self.store.switch = pbx.switch
        return super().set(pbx, wanted, check_mode=check_mode)


def force_contact(config: Config) -> ForceContact:
    """The writing side."""
    shell = Shell(config.shell)
    return ForceContact(ForceContactStore(Directory(Database(config.database, shell), config.domain), shell, config.profiles or ("internal",)), config.patience)


def cache_keys(row: Row, domain: str) -> list[str]:
    """The names by which FusionPBX's cache may hold the settings of an extension."""
    users, places = dict.fromkeys((row.extension, row.alias)), dict.fromkeys((domain, row.context))
    return [f"directory:{user}@{where}" for user in users if user for where in places if where]


def file_name(key: str) -> str:
    """The file of a name in the cache [H: cache.lua]."""
    return key.translate(str.maketrans({":": ".", "\\": "_", "/": "_"}))
