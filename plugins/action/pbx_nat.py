# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of evenport.sip.pbx_nat. See the module for the documentation."""

from __future__ import annotations

from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import FILE_VARIABLES, NAT_SPEC, PBX_VARIABLES
from ansible_collections.evenport.sip.plugins.plugin_utils.pbx_action import PbxAction


class ActionModule(PbxAction):

    MODULE = "evenport.sip.pbx_nat"
    SPEC = NAT_SPEC
    VARIABLES = {**PBX_VARIABLES, **FILE_VARIABLES}
    WRITING = True
