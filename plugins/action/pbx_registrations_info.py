# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.pbx_registrations_info. See the module for the documentation."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import PBX_VARIABLES, REGISTRATIONS_SPEC
from ansible_collections.evenport.sip.plugins.plugin_utils.pbx_action import PbxAction


class ActionModule(PbxAction):

    MODULE = "evenport.sip.pbx_registrations_info"
    SPEC = REGISTRATIONS_SPEC
    VARIABLES = PBX_VARIABLES
    WRITING = False
