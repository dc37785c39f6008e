# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The embedded site: eight fake phones behind a simulated router, and a fake Asterisk. Loopback only.

What is where comes from inventory/demo, so that inventory and fakes cannot disagree. The phones register when they start, when
their web page moves them to another port, and every two seconds (so that a NAT option switched on at the PBX shows soon).
"""

from __future__ import annotations

import json
import threading
from pathlib import Path

import yaml

from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.brands import KINDS
from tests.fakes.nat import Router

PJSIP = """; Written by the demo. One endpoint per extension, NAT option off, as on many a PBX that grew by hand.
[transport-udp]
type=transport
protocol=udp
bind=0.0.0.0:5060

[phone](!)
type=endpoint
context=phones
disallow=all
allow=ulaw
force_rport=no
rewrite_contact=no
rtp_symmetric=no
"""

ENDPOINT = """
[{0}](phone)
auth={0}
aors={0}
[{0}]
type=auth
auth_type=userpass
username={0}
password=sip-{0}
[{0}]
type=aor
max_contacts=1
remove_existing=yes
qualify_frequency=30
"""


ORDINARY = ("grandstream", "grandstream-old")
MIXED = ("grandstream", "yealink", "poly", "htek", "fanvil", "snom", "cisco", "grandstream-old")


class DemoSite:
    """Start with ``with DemoSite(inventory):``; *inventory* is the folder inventory/demo or a copy of it.

    *kinds*: of KINDS, one for each phone in turn, from the start again where there are more phones.
    """

    def __init__(self, inventory, router_mode="keep", kinds=ORDINARY):
        self.inventory = Path(inventory)
        self.kinds = kinds
        groups = yaml.safe_load((self.inventory / "hosts.yml").read_text(encoding="utf-8"))
        site = yaml.safe_load((self.inventory / "group_vars/demo_site/main.yml").read_text(encoding="utf-8"))
        self.pbx_host = groups["demo_pbxs"]["hosts"]["demo-pbx"]
        self.hosts = {name: host for name, host in groups["demo_site"]["hosts"].items() if host.get("sip_phone_kind") != "softphone"}
        self.softphones = {name: host for name, host in groups["demo_site"]["hosts"].items() if host.get("sip_phone_kind") == "softphone"}
        self.password, self.web_port = site["sip_phone_password"], site["sip_phone_port"]
        self.router = Router(mode=router_mode)
        self.phones = {}
        self.heard = None               # a test may give a function: told of every registration too, as another PBX than the fake Asterisk
        self._ending = threading.Event()
        self._ports = {}                # (phone, account) -> the port that it signals from

    def start(self):
        config = self.inventory / ".sip" / "asterisk"
        config.mkdir(parents=True, exist_ok=True)
        (config / "pjsip_evenport.conf").unlink(missing_ok=True)
        extensions = [e for host in [*self.hosts.values(), *self.softphones.values()] for e in host["sip_extensions"]]
        (config / "pjsip.conf").write_text(PJSIP + "".join(ENDPOINT.format(e) for e in extensions), encoding="utf-8")
        self.pbx = FakeAsterisk(
            config, self.pbx_host["sip_pbx_host"], self.pbx_host["sip_pbx_port"], users={self.pbx_host["sip_pbx_user"]: self.pbx_host["sip_pbx_password"]})
        self.pbx.start()
        for number, (name, host) in enumerate(self.hosts.items()):
            kind = KINDS[self.kinds[number % len(self.kinds)]]
            accounts = [{"user": user, "active": True, "port": 5060 + 2 * index} for index, user in enumerate(host["sip_extensions"])]
            self.phones[name] = kind.make(
                mac=host["sip_mac"].replace(":", ""), password=self.password, address=host["ansible_host"], port=self.web_port,
                accounts=accounts, on_register=lambda _fake, account, port, name=name: self._register(name, account, port))
            self.phones[name].start()
        threading.Thread(target=self._refresh, daemon=True).start()
        return self

    def stop(self):
        self._ending.set()
        for phone in self.phones.values():
            phone.stop()
        self.pbx.stop()

    __enter__ = start

    def __exit__(self, *_exc):
        self.stop()

    def counts(self):
        """What the fakes counted, per phone: logins, logouts, writes, reboots."""
        return {name: {"logins": p.logins, "login_attempts": p.login_attempts, "logouts": p.logouts, "writes": p.writes, "reboots": p.reboots}
                for name, p in self.phones.items()}

    def _register(self, name, account, port):
        host = self.hosts[name]
        if account > len(host["sip_extensions"]):       # an account that the PBX knows nothing of
            return
        self._ports[(name, account)] = port
        inside = "192.168.1." + host["ansible_host"].rsplit(".", 1)[1]
        first = min(number for (phone, number), held in self._ports.items() if (phone, held) == (name, port))      # accounts on one port share a socket
        extension, seen = str(host["sip_extensions"][account - 1]), (self.router.address, self.router.translate(f"{inside}/{first}", port))
        self.pbx.register(extension, inside, port, *seen, user_agent=self.phones[name].model if name in self.phones else "")
        if self.heard:
            self.heard(extension, (inside, port), seen)

    def _refresh(self):
        while not self._ending.wait(2):
            for (name, account), port in list(self._ports.items()):
                self._register(name, account, port)
            for host in self.softphones.values():
                for extension in host["sip_extensions"]:
                    self.pbx.register(str(extension), "192.168.1.99", 51234, self.router.address, self.router.translate(f"soft/{extension}", 51234),
                                      user_agent="Softphone 3.1")
            (self.inventory / ".sip" / "counts.json").write_text(json.dumps(self.counts()), encoding="utf-8")
