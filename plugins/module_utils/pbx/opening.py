# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which code reads and which code writes each kind of PBX. Both sides by the product's name in ``products.py``.

A product's own modules are imported when it is asked for: a PBX box may lack what another product needs.
"""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.errors import PlanError
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Config
from ansible_collections.evenport.sip.plugins.module_utils.pbx.contract import NatOptions, Pbx


def open_pbx(config: Config) -> Pbx:
    """The reading side, logged in."""
    return READERS[config.type](config)


def open_nat_options(config: Config) -> NatOptions:
    """The writing side."""
    return WRITERS[config.type](config)


def _asterisk(config: Config) -> Pbx:
    """By its manager interface, or by its command line where that is closed."""
    if config.read_by == "cli":
        from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.cli import AsteriskCli
        from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
        return AsteriskCli(Shell(config.shell))
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.pjsip import Asterisk
    return Asterisk(config.access)


def _realtime(config: Config) -> Pbx:
    if config.read_by != "database":
        return _asterisk(config)
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.realtime import ContactsTable, open_database
    return ContactsTable(open_database(config))


def _realtime_nat(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.realtime import RealtimeStore, open_database
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import StoredOptions
    return StoredOptions(RealtimeStore(open_database(config), asked=config.read_by != "database"), config.patience)


def _chan_sip(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.chan_sip import ChanSip
    return ChanSip(config.access)


def _owned_file(config: Config) -> NatOptions:
    """In the configuration of the channel driver: chan_sip's, or PJSIP's, or PJSIP's wizard's where the extensions come from that."""
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import CHAN_SIP, PJSIP
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.wizard import WIZARD, PjsipFiles
    if config.shell:
        raise PlanError("An Asterisk's configuration files are written on the PBX itself, not through sip_pbx_shell.",
                        "Let the PBX's host be reached by ssh (Python 3.9 or newer there), without sip_pbx_shell.")
    dialect = CHAN_SIP if config.type == "chan_sip" else WIZARD if config.main_file == WIZARD.main_file else PJSIP
    place = Place(
        config.config_dir or "/etc/asterisk", config.main_file or dialect.main_file, config.include_file or dialect.include_file,
        config.allow_generated, config.patience, dialect)
    return PjsipFiles(place, config.include_file) if dialect is PJSIP and not config.main_file else OwnedFile(place)


def _yeastar(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.yeastar import Yeastar
    return Yeastar(config.access)


def _threecx(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.threecx import ThreeCx
    return ThreeCx(config.access)


def _ucm(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.grandstream_ucm import GrandstreamUcm
    return GrandstreamUcm(config.access)


def _ucm_nat(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.grandstream_ucm import UcmNat
    return UcmNat(config.patience)


def _wazo_nat(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.wazo import WazoNat
    if config.api is None:
        raise PlanError("A PBX of the type wazo needs sip_pbx_api.", "Set it for the PBX's host: where wazo-confd is, and its user.")
    return WazoNat(config.api, config.patience)


def _table(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.pbx import TablePbx
    return TablePbx(config.status_file, config.columns)


def _by_hand(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import ByHand
    return ByHand(f"Only a person can set the NAT option of this PBX, in its own pages: {PRODUCTS[config.type].by_hand}.")


def _fusionpbx(config: Config) -> Pbx:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.pbx import FusionPbx
    return FusionPbx(config)


def _force_contact(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.fusionpbx.store import force_contact
    return force_contact(config)


def _freepbx(config: Config) -> Pbx:
    """FreePBX 15 and 16 may have chan_sip devices too; the command line shows PJSIP's only."""
    if config.read_by == "cli":
        return _asterisk(config)
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.both import BothDrivers
    return BothDrivers(config.access)


def _freepbx_nat(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import DatabaseAccess
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.freepbx import RELOAD_TIME, FreePbxStore
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.shell import Shell
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.sql import Database
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.store import StoredOptions
    database = Database(config.database or DatabaseAccess("mysql", "asterisk"), Shell(config.shell))
    return StoredOptions(FreePbxStore(database, Shell(config.shell, RELOAD_TIME)), config.patience)


READERS = {
    "freepbx": _freepbx,
    "fusionpbx": _fusionpbx,
    "grandstream_ucm": _ucm,
    "wazo": _asterisk,
    "yeastar": _yeastar,
    "3cx": _threecx,
    "web_only": _table,
    "asterisk": _asterisk,
    "asterisk_realtime": _realtime,
    "chan_sip": _chan_sip,
}
WRITERS = {
    "freepbx": _freepbx_nat,
    "fusionpbx": _force_contact,
    "grandstream_ucm": _ucm_nat,
    "wazo": _wazo_nat,
    "yeastar": _by_hand,
    "3cx": _by_hand,
    "web_only": _by_hand,
    "asterisk": _owned_file,
    "asterisk_realtime": _realtime_nat,
    "chan_sip": _owned_file,
}
