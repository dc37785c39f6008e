# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service names that IANA has registered for UDP ports 5060-5200: {port: (service name, description)}. Data only.

Source: IANA "Service Name and Transport Protocol Port Number Registry", state of February 2026; ports without an entry are
unassigned or reserved on UDP. Of two names for one port (an alias with "_" for "-") the first counts. A test compares this
file with the registry's rows in tests/unit/data/iana_5060_5200.csv.
"""

from __future__ import annotations

UDP: dict[int, tuple[str, str]] = {
    5060: ("sip", "SIP"),
    5061: ("sips", "SIP-TLS"),
    5062: ("na-localise", "Localisation access"),
    5064: ("ca-1", "Channel Access 1"),
    5065: ("ca-2", "Channel Access 2"),
    5066: ("stanag-5066", "STANAG-5066-SUBNET-INTF"),
    5067: ("authentx", "Authentx Service"),
    5069: ("i-net-2000-npr", "I/Net 2000-NPR"),
    5070: ("vtsas", "VersaTrans Server Agent Service"),
    5071: ("powerschool", "PowerSchool"),
    5072: ("ayiya", "Anything In Anything"),
    5073: ("tag-pm", "Advantage Group Port Mgr"),
    5074: ("alesquery", "ALES Query"),
    5078: ("pixelpusher", "PixelPusher pixel data"),
    5079: ("cp-spxrpts", "Cambridge Pixel SPx Reports"),
    5080: ("onscreen", "OnScreen Data Collection Service"),
    5081: ("sdl-ets", "SDL - Ent Trans Server"),
    5082: ("qcp", "Qpur Communication Protocol"),
    5083: ("qfp", "Qpur File Protocol"),
    5084: ("llrp", "EPCglobal Low-Level Reader Protocol"),
    5085: ("encrypted-llrp", "EPCglobal Encrypted LLRP"),
    5092: ("magpie", "Magpie Binary"),
    5093: ("sentinel-lm", "Sentinel LM"),
    5094: ("hart-ip", "HART-IP"),
    5099: ("sentlm-srv2srv", "SentLM Srv2Srv"),
    5100: ("socalia", "Socalia service mux"),
    5101: ("talarian-udp", "Talarian_UDP"),
    5102: ("oms-nonsecure", "Oracle OMS non-secure"),
    5104: ("tinymessage", "TinyMessage"),
    5105: ("hughes-ap", "Hughes Association Protocol"),
    5111: ("taep-as-svc", "TAEP AS service"),
    5112: ("pm-cmdsvr", "PeerMe Msg Cmd Service"),
    5116: ("emb-proj-cmd", "EPSON Projecter Image Transfer"),
    5120: ("barracuda-bbs", "Barracuda Backup Protocol"),
    5133: ("nbt-pc", "Policy Commander"),
    5136: ("minotaur-sa", "Minotaur SA"),
    5137: ("ctsd", "MyCTS server port"),
    5145: ("rmonitor-secure", "RMONITOR SECURE"),
    5150: ("atmp", "Ascend Tunnel Management Protocol"),
    5151: ("esri-sde", "ESRI SDE Remote Start"),
    5152: ("sde-discovery", "ESRI SDE Instance Discovery"),
    5154: ("bzflag", "BZFlag game server"),
    5155: ("asctrl-agent", "Oracle asControl Agent"),
    5164: ("vpa-disc", "Virtual Protocol Adapter Discovery"),
    5165: ("ife-icorp", "ife_1corp"),
    5166: ("winpcs", "WinPCS Service Connection"),
    5167: ("scte104", "SCTE104 Connection"),
    5168: ("scte30", "SCTE30 Connection"),
    5190: ("aol", "America-Online"),
    5191: ("aol-1", "AmericaOnline1"),
    5192: ("aol-2", "AmericaOnline2"),
    5193: ("aol-3", "AmericaOnline3"),
    5200: ("targus-getdata", "TARGUS GetData"),
}
