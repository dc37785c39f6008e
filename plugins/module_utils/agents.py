# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a SIP user agent text says of the device: which phone it is, or that it is a softphone. Pure data and one function.

The text is the device's own choice: a hint, no proof. A brand is named only where the text is that of a model that the brand's driver is
for; other devices of the same maker stay without one, so that the phone itself is asked (sip_phone_brand: auto).

Where each row's form comes from: [D] the vendor's document; [C] captures and tests of SIP or provisioning traffic that others published;
[I] inferred from the vendor's other texts, nobody has shown it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 200           # characters of a user agent that are looked at

_VERSION = r"[vV]?(?P<firmware>\d[\w.\-]*)"


@dataclass(frozen=True)
class Agent:
    """``brand`` as in phones/brands.py, "" where it is none of them or not sure. ``kind``: phone (any hardware), softphone, unknown.

    ``product`` stays the same when the firmware is updated: with it two contacts of one device are told. ``mac`` is twelve lower-case hex
    digits, where the phone is set to tell it.
    """

    brand: str = ""
    model: str = ""
    kind: str = "unknown"
    mac: str = ""
    firmware: str = ""
    product: str = ""


# (brand, pattern), the first that is found decides. Case does not matter; "model" and "firmware" are groups where the text has them.
_PHONES = (
    # "Grandstream GXP2170 1.0.11.64" [C]; "Grandstream Model HW GXP1628 SW 1.0.4.138 DevId c074ad2bd859" [C]
    ("grandstream", rf"^Grandstream (?:Model HW )?(?P<model>(?:GXP(?:14|16|17|21)\d\d|GRP26\d\d|WP8\d6)\w*)(?: V\S+)?(?: (?:SW )?{_VERSION})?"),
    ("", rf"^Grandstream (?:Model HW )?(?P<model>(?:GX[VPW]|GRP|GVC|GAC|GDS|GHP|HT|DP|WP|UCM)-?\d\w*)(?: +V\S+)?(?: +(?:SW )?{_VERSION})?"),
    # "Yealink SIP-T46S 66.84.0.15", with the MAC "Yealink SIP-T53W 96.87.0.16 001565aabbcc" [C]; "Yealink SIP-T21P_E2 52.83.0.35" [C]
    ("yealink", rf"^Yealink[ -](?:SIP(?: VP)?-)?(?P<model>T[2-5]\d\w*)(?: {_VERSION})?"),
    ("", rf"^Yealink (?:SIP-)?(?P<model>\w[\w-]*)(?: {_VERSION})?"),          # W52P, W60B, CP960, VP59, AX83H ...: not this driver's
    # "PolycomVVX-VVX_410-UA/5.9.5.0614", with the MAC "PolycomVVX-VVX_150-UA/6.4.1.2280_482567164887" [C]; "PolyEdge-Edge_E350-UA/8.3.1.0614" [C];
    # "PolycomRealPresenceTrio-Trio_8800-UA/7.2.2.1094" [C]; "PolyCCX-CCX_600-UA/8.0.2.3267" [C]
    ("poly", r"\bPoly(?:com)?\w*-(?P<model>(?:VVX|Edge_E|CCX|Trio(?:_C)?)_?\d\w*)-UA/(?P<firmware>\d[\d.]*)"),
    ("", r"\bPoly(?:com)?\w*-(?P<model>\w+)-UA/(?P<firmware>\d[\d.]*)"),      # SoundPoint, SoundStation: too old for the driver
    ("", rf"^(?:OBIHAI|Poly)/(?P<model>OBi\w+)-?{_VERSION}"),
    # "Htek UC926 2.0.4.2 00:1f:c1:00:00:00" [C]; "Htek UC924E V3.0.4.5" [C]; "Htek UC912G 001fc1200b41" [C]
    ("htek", r"^Htek (?P<model>UC[89]\d\d\w*)(?: V?(?P<firmware>\d+(?:\.\d+)+\w*))?"),
    ("", r"^Htek (?P<model>\w.{0,20}?)(?: V?(?P<firmware>\d+(?:\.\d+)+\w*))"),
    ("htek", rf"^Sangoma[ /](?P<model>S[2-7]\d\d)\b(?:[ /-]{_VERSION})?"),    # [I]
    ("", r"^(?:Sangoma|Digium|ClearlyIP)[ /](?P<model>(?:P|D|DC|CIP)\d\w*)(?:[ /-]V?(?P<firmware>\d[\w.]*))?"),     # Digium "Digium D40 1_4_0" [I]
    # "Fanvil X303 2.12.18.9 0c383e63963b" [C]; "Fanvil X6U Pro 0.0.10 0c383e2cd782" [C]; "Fanvil i53W 2.12.9" [C]
    ("fanvil", rf"^Fanvil (?P<model>[XVHCDi]\d\w*(?: Pro)?)(?: {_VERSION})?"),
    ("fanvil", rf"^(?:Intelbras (?P<model>V\d{{4}}\w*)|OpenVox (?P<model2>C\d\w*))(?: {_VERSION})?"),     # [I]
    ("", rf"^Fanvil (?P<model>\w+)(?: {_VERSION})?"),
    # "snomD785/10.1.84.12" [C]; "snom370/8.7.5.48" [C]; "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)" [C]
    ("snom", rf"\bsnom-?(?P<model>D?[37]\d\d\w?)(?:-SIP)?[/ -]{_VERSION}"),
    ("", rf"\bsnom-?(?P<model>[A-Z]?\d\w*)(?:-SIP)?[/ -]{_VERSION}"),         # D1xx, 8xx, the DECT bases M...
    ("snom", rf"^VTech (?P<model>ET6[038]5)\b(?:[ /]{_VERSION})?"),           # [I]
    # "VTech ErisTerminal VSP600A 1.1" [C]; "Vtech Vesa VSP735 1.1.4.0-0" [C]
    ("vtech", rf"^VTech (?:ErisTerminal |Vesa )?(?P<model>VSP[678]\w+|VCS75\w+)(?: {_VERSION})?"),
    # "Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)" [C]; "Linksys/SPA-942-6.1.5(a) (88019FA42805)" [C]
    ("cisco", r"^Cisco/(?P<model>SPA(?:30\d|50\d|51\d|525)\w*)-(?P<firmware>\d[\w.]*)"),
    ("cisco", r"^Linksys/(?P<model>SPA-?9\d\d\w*)-(?P<firmware>\d[\w.]*)"),
    # "Cisco-CP-8841-3PCC/11.0 (00562b043615)" [D]; "Cisco-CP-8865-3PCC/12.0.3_dcf719f39350_<uuid>" [C]. Without 3PCC it is a phone for Cisco's own PBX
    ("cisco", r"^Cisco-CP-?(?P<model>(?:68|78|88)\d\d\w*)-3PCC(?:/(?P<firmware>\d[\d.]*))?"),
    ("", r"^(?:Cisco|Linksys|Sipura)[-/](?P<model>(?:CP-?|SPA-?|ATA|IP)\d\w*)[-/](?P<firmware>\d[\w.]*)"),
    # Makers without a driver of ours: hardware all the same. "Aastra6739i MAC:00-08-5D-13-CA-05 V:3.2.1.1013-SIP" [C];
    # "Panasonic-KX-TGP600RU/01.061 (080023e21a52)" [C]; "N510 IP PRO/42.258.00.000.000;7C2F806257D7" [C]; the last row [I]
    ("", rf"^(?:Aastra|Mitel)[ /]?(?P<model>\w+)[ /](?:MAC:\S+ )?(?:V:)?{_VERSION}"),
    ("", rf"^Panasonic[-_](?P<model>KX-\w+)/{_VERSION}"),
    ("", rf"^(?:Gigaset )?(?P<model>[A-Z]\d{{3}}\w* IP(?: PRO)?)/{_VERSION}"),
    ("", rf"^(?P<model>(?:Avaya|AUDC|AudioCodes|ALE|Alcatel|OpenStage|OpenScape|Unify|Akuvox|2N|Algo|Escene|Flyingvoice|Atcom|Spectralink|Ascom|"
         rf"Cortelco|Zultys|Dinstar|Patton|Mediatrix|Ubiquiti|Yeastar|Eltex|TAU|Innovaphone|Auerswald|AGFEO)\b[\w -]{{0,30}})[/ ]{_VERSION}"),
)

_SOFTPHONES = (
    r"^Z \d",                                   # Zoiper 5: "Z 5.6.6 v2.10.20.5" [C]
    r"\bZoiper",                                # "Zoiper v2.10.20.4_1", "Zoiper rev.5415" [C]
    r"^Linphone",                               # Linphone/3.6.1, Linphone Desktop, LinphoneAndroid, LinphoneiOS [C]
    r"^(?:Bria|X-Lite|eyeBeam)\b",              # "Bria iOS release 3.9.5 stamp 38501", "X-Lite release 5.0.0 stamp 67284" [C]
    r"^MicroSIP\b",                             # "MicroSIP/3.21.3" [C]
    r"^3CX ?(?:Phone(?! ?System)|Mobile|Desktop|Web)",      # "3CXPhone 6.0.26523.0" [C]; the PBX calls itself 3CXPhoneSystem [C]
    r"^(?:Groundwire|Acrobits|Cloud ?Softphone)\b",         # "Acrobits SIPIS" [C], its server that registers for sleeping apps; the others [I]
    r"^PortSIP(?! UC - Call Manager)",          # "PortSIP - Toro Nightly (...)" [C]; the call manager is a server [C]
    r"^baresip\b",                              # "baresip v1.1.0 (x86_64/linux)" [C]
    r"^(?:Jitsi|Jami|SFLphone)",                # "Jitsi2.10.5550Windows 10" [C]
    r"^Sipnetic\b",                             # "Sipnetic/1.1.9 Android" [C]
    r"^(?:Grandstream |GS ?)?Wave(?![a-z])",    # [I]; a UCM shows the app's name alone, as it does with phones
    r"^(?:Mizu|MizuPhone|JVoIP|AJVoIP)",        # [I]
    r"^Telephone \d",                           # macOS: "Telephone 1.6" [C]
    r"^CSipSimple",                             # "CSipSimple_greatlte-26/r2457" [C]
    r"^pjsua\b",                                # "PJSUA v2.10 Linux-5.6.3.44/x86_64/glibc-2.31" [C]
    r"^(?:Twinkle|Ekiga|Blink|PhonerLite|Phoner|Sipdroid|Media5-fone|Express Talk|Ninja|Nextiva|Zulu|Sangoma (?:Connect|Phone|Talk)|SessionTalk)\b",     # [I]
    r"^(?:SIP\.js|JsSIP|IM-client/OMA1\.0 sipML5)",         # phones in a web page: "SIP.js/0.8.0 sipjs.com" [C]
    r"\bsoft ?phone\b",                         # whatever calls itself one
)
# A UCM shows "GRP2601" or "GXP2170" alone [C]: read as if the maker stood before it.
_BARE_GRANDSTREAM = re.compile(r"(?:GXP|GRP|GXV|HT|DP|WP)-?\d{3,4}[A-Z]{0,3}(?![\w-])", re.IGNORECASE)
_PHONE_ROWS = [(brand, re.compile(pattern, re.IGNORECASE)) for brand, pattern in _PHONES]
_SOFTPHONE = re.compile("|".join(_SOFTPHONES), re.IGNORECASE)

# Twelve hex digits, bare or in pairs, standing alone. What ends a UUID looks like one and is none.
_PAIR = "[0-9A-Fa-f]{2}"
_MAC = re.compile(rf"(?:(?<=MAC:)|(?<![0-9A-Za-z.])(?<![0-9A-Fa-f][:-]))({_PAIR}([:-]?)(?:{_PAIR}\2){{4}}{_PAIR})(?![0-9A-Za-z:]|-[0-9A-Fa-f])")
_VERSION_WORD = re.compile(r"\(.*|\b(?:release|stamp|build|rev|revision|v|rv)[\s._-]?\d\S*|[\s/_-]?v?\d+(?:[._]\d+)+\S*|[/]\S*$", re.IGNORECASE)


def plain(text: str, longest: int = LONGEST) -> str:
    """A device's text for one line of a person's: no control characters, no line breaks, no novel."""
    clean = "".join(char if char.isprintable() else "?" for char in text[:longest + 1])
    return clean if len(clean) <= longest else clean[:longest - 3] + "..."


@lru_cache(maxsize=4096)
def agent_of(text: str) -> Agent:
    """The user agent *text* of a registration -> what it says of the device. Any text is fine, an empty one too."""
    text = plain(text).strip()
    if _SOFTPHONE.search(text):
        return Agent(kind="softphone", product=_product(text))
    if _BARE_GRANDSTREAM.match(text):
        text = f"Grandstream {text}"
    for brand, pattern in _PHONE_ROWS:
        found = pattern.search(text)
        if found:
            groups = found.groupdict()
            model = (groups.get("model") or groups.get("model2") or "").replace("_", " ").strip()
            mac = _mac_in(text)
            firmware = groups.get("firmware") or ""
            firmware = "" if mac and mac == firmware.lower() else firmware          # "Htek UC912G 001fc1200b41" tells no firmware
            return Agent(brand, model, "phone", mac, firmware, f"{brand or re.split('[ /]', text, maxsplit=1)[0]} {model}".lower())
    return Agent(product=_product(text))


def _product(text: str) -> str:
    """The text without its versions: "MicroSIP/3.21.3" and "MicroSIP/3.22" are the same program."""
    return _VERSION_WORD.sub("", text).strip().lower() or text.lower()


def _mac_in(text: str) -> str:
    for found in _MAC.finditer(text):
        mac = re.sub("[:-]", "", found[1]).lower()
        if not int(mac[1], 16) & 1 and mac.strip("0"):          # no group address, not empty
            return mac
    return ""
