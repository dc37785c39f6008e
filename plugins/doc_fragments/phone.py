# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors TARGET of module_utils/phones/arguments.py; a unit test compares the two.
    DOCUMENTATION = r"""
options:
  host:
    description: IP address or name of the phone's web page, without scheme and path.
    type: str
    required: true
  name:
    description: What messages call the phone. Default is the inventory hostname, and O(host) where there is none.
    type: str
  protocol:
    description:
      - Scheme of the phone's web page.
      - With V(http) the password crosses the network in the clear, so it is never tried by itself.
    type: str
    choices: [https, http]
    default: https
  port:
    description: Port of the phone's web page. Default is 443 for V(https) and 80 for V(http).
    type: int
  username:
    description: User name at the phone's web page. On a Poly, V(admin) stands for its only user, C(Polycom).
    type: str
    default: admin
  password:
    description:
      - Password at the phone's web page.
      - It is tried once. A wrong one is never tried again, so that the phone does not lock.
    type: str
    required: true
  mac:
    description:
      - MAC address of the phone, in any spelling.
      - A phone that shows another one is refused before the password is sent to it.
    type: str
  brand:
    description:
      - Brand of the phone. With V(auto) the phone is asked, without a login.
      - V(vtech), V(north_american_telecom) and V(form) are never chosen by V(auto). With the first two the phone is asked too, since it may speak
        another brand's protocol; otherwise the field of the local SIP port is looked for on its web page.
    type: str
    choices: [auto, grandstream, yealink, poly, htek, fanvil, snom, cisco, vtech, north_american_telecom, form]
    default: auto
  validate_certs:
    description:
      - Verify the certificate of a phone with O(protocol=https).
      - Most phones have a certificate of their own making. Rather than switching the verification off, pin it with O(fingerprint).
    type: bool
    default: true
  ca_path:
    description: File or folder of CA certificates in PEM, instead of those of the system.
    type: path
  fingerprint:
    description:
      - SHA-256 fingerprint of the phone's certificate, 64 hex digits, with or without colons and the prefix C(sha256:).
      - Accepts this certificate and no other one, whoever signed it. The message that refuses a certificate shows the fingerprint to set.
      - It is compared before anything is sent.
    type: str
  proxy:
    description:
      - Proxy on the way to the phone, for example V(socks5h://127.0.0.1:1080) for C(ssh -D 1080) to a machine in the site, or V(http://proxy:3128).
      - Environment variables such as E(HTTPS_PROXY) are not looked at.
    type: str
  timeout:
    description: Seconds to wait for a connection, and for each piece of an answer. A whole answer may take three times as long.
    type: float
    default: 10.0
  profile:
    description:
      - Where this model's web page has what, so that nothing needs to be looked for. It decides instead of O(brand).
      - After a visit with O(brand=form), RV(evenport.sip.phone_info#module:profile) is such a profile.
      - M(evenport.sip.phone_profile) makes one from a recording.
    type: dict
requirements:
  - requests
  - jmespath
  - cryptography, for Yealink and Poly phones
  - defusedxml, for Htek, Fanvil and Cisco phones
  - lxml, for Htek, Fanvil, Snom, Cisco and older Yealink phones, and for O(brand=form)
  - PySocks, for a SOCKS proxy
"""
