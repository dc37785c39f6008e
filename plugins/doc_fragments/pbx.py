# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors module_utils/pbx/arguments.py; a unit test compares the two. The values of type are written by "make docs".
    DOCUMENTATION = r"""
options:
  type:
    description:
      - Which PBX it is. What each one can do is in C(docs/pbxs.md) of the collection.
    type: str
    choices: [asterisk, asterisk_realtime, chan_sip, freepbx, fusionpbx, grandstream_ucm, wazo, yeastar, 3cx, web_only]
    default: asterisk
  pbx:
    description:
      - Inventory host of the PBX. Every option of this list that is not given is taken from that host's variable C(sip_pbx_<option>),
        as the roles do it (C(sip_pbx_user) for O(username)).
      - The controller looks them up, so this works in tasks only.
    type: str
  host:
    description:
      - Address of the interface that tells the registrations, as seen from where the module runs. For Asterisks the manager interface (AMI).
      - Default is C(127.0.0.1).
    type: str
  port:
    description:
      - Port of that interface. Default is that of the O(type), for an AMI 5038, with O(tls) 5039.
    type: int
  username:
    description:
      - User of that interface. For an AMI a user of C(manager.conf); reading needs the class V(system) in its C(write=) line.
      - For Yeastar and 3CX the client id of the API.
    type: str
  password:
    description:
      - Its password. To an AMI it is proved by an MD5 challenge and never crosses a network in clear.
      - It is tried once. A login that a PBX has refused is not tried again in the run, so that it does not ban the address.
    type: str
  tls:
    description: The manager interface speaks TLS (C(tlsenable=yes) in C(manager.conf)). HTTPS APIs always do.
    type: bool
    default: false
  validate_certs:
    description: Verify the certificate of the PBX. Not used with O(fingerprint).
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
  read_by:
    description:
      - What the registrations are read by, where the O(type) has several ways. Default is V(ami), for C(fusionpbx) V(event_socket).
      - V(cli) runs the PBX's own command line program (C(asterisk -rx), C(fs_cli)), for a PBX whose manager interface is closed.
      - V(database) reads the table C(ps_contacts).
    type: str
    choices: [ami, cli, database, event_socket]
  shell:
    description:
      - Command that brings another command to the PBX, such as C([ssh, -o, BatchMode=yes, root@192.0.2.10]). It must not ask for anything.
      - Empty when the module runs on the PBX. For PBXs whose Python is too old for Ansible, which need nothing but a shell then.
    type: list
    elements: str
    default: []
  database:
    description:
      - The PBX's database, for the types that keep settings in one. It is asked through its own client, C(mysql) or C(psql).
      - What is left out is up to that client.
    type: dict
    suboptions:
      engine:
        description: Kind of the database. MariaDB is V(mysql). Default is that of the O(type).
        type: str
        choices: [mysql, postgresql]
      name:
        description: Its name. Default is that of the O(type).
        type: str
      host:
        description: Address of the server.
        type: str
      port:
        description: Port of the server.
        type: int
      socket:
        description: Path of the server's socket, for PostgreSQL the folder that it is in.
        type: path
      username:
        description: Database user.
        type: str
      password:
        description: Its password. It is handed over by standard input, never by an argument.
        type: str
      run_as:
        description: The system user who runs the client, such as C(postgres). Needs root.
        type: str
  api:
    description: The HTTPS interface that sets NAT options, where it is not the one that tells the registrations (Wazo's confd).
    type: dict
    suboptions:
      host:
        description: Its address.
        type: str
        required: true
      port:
        description: Its port. Default is 443.
        type: int
      username:
        description: Its user.
        type: str
      password:
        description: Its password.
        type: str
      validate_certs:
        description: Verify its certificate.
        type: bool
        default: true
      ca_path:
        description: File or folder of CA certificates to verify with.
        type: path
      fingerprint:
        description: SHA-256 of the certificate that it must show.
        type: str
  domain:
    description: The domain (tenant) whose extensions are meant, where each has its own numbers. For FusionPBX.
    type: str
  profiles:
    description: SIP profiles to read, where the PBX has several. For FusionPBX; default is V(internal).
    type: list
    elements: str
    default: []
  status_file:
    description: The PBX's status table as it was pasted or exported (CSV, HTML, text). For a PBX with a web page only.
    type: path
  columns:
    description:
      - Which column of O(status_file) is what, where it is not recognised by its heading.
      - Keys are C(extension), C(address), C(port), C(user_agent), C(status), C(claimed_port); values are headings, or numbers from 1.
    type: dict
    default: {}
"""
