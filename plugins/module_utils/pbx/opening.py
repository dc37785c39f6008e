# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which code reads and which code writes each kind of PBX. Both sides by the product's name in ``products.py``.

A product's own modules are imported when it is asked for: a PBX box may lack what another product needs.
"""

from __future__ import annotations

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


def _owned_file(config: Config) -> NatOptions:
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.include_file import PJSIP
    from ansible_collections.evenport.sip.plugins.module_utils.pbx.asterisk.owned_file import OwnedFile, Place
    return OwnedFile(Place(
        config.config_dir or "/etc/asterisk", config.main_file or PJSIP.main_file, config.include_file or PJSIP.include_file,
        config.allow_generated, config.patience))


READERS = {
    "asterisk": _asterisk,
}
WRITERS = {
    "asterisk": _owned_file,
}
