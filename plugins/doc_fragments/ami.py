# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors module_utils/pbx/arguments.py; a unit test compares the two.
    DOCUMENTATION = r"""
options:
  host:
    description: Address of Asterisk's manager interface (AMI), as seen from where the module runs.
    type: str
    default: 127.0.0.1
  port:
    description: Port of the manager interface. Default is 5038, with O(tls) 5039.
    type: int
  username:
    description:
      - A user of C(manager.conf). Reading needs the class V(system) in its C(write=) line.
    type: str
    required: true
  password:
    description:
      - Secret of the manager user. It is proved by an MD5 challenge and never crosses a network in clear.
      - It is tried once. A wrong one is not tried again, so that the PBX does not ban the address.
    type: str
    required: true
  tls:
    description: Speak TLS (C(tlsenable=yes) in C(manager.conf)).
    type: bool
    default: false
  validate_certs:
    description: With O(tls), verify the certificate of the PBX. Not used with O(fingerprint).
    type: bool
    default: true
  ca_path:
    description: File or folder of CA certificates (PEM) to verify with, instead of the system's.
    type: path
  fingerprint:
    description:
      - SHA-256 of the certificate that the PBX must show, as 64 hex digits with or without colons.
      - Takes the place of the verification by a CA, for self-signed certificates.
    type: str
  timeout:
    description: Seconds for connecting, and for each whole answer of the PBX.
    type: float
    default: 10.0
"""
