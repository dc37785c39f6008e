# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sites that are measured: a generated inventory, and its fake phones and PBX in a process of their own.

``python -m tests.bench.site INVENTORY`` serves: it answers each line on stdin with a line of JSON (what the fakes counted so far)
and ends with stdin, so that nothing is left running however the benchmark ends.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from pathlib import Path

import yaml

from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.grandstream import FakeGrandstream
from tests.fakes.nat import Router
from tests.fakes.site import ENDPOINT, PJSIP

CHECKOUT = Path(__file__).resolve().parents[2]
PER_SITE = 50           # phones of one line each; a site has room for 71 lines in 5060 to 5200
WEB_PORT, PASSWORD, AMI_SECRET = 18080, "bench-web-secret", "bench-ami-secret"
COUNTED = ("login_attempts", "logins", "logouts", "writes", "reboots", "requests")


def write_inventory(folder: Path, phones: int, net: int) -> Path:
    """*phones* phones at sites of PER_SITE, one PBX for all. The port locks are not here yet: evenport.sip.plan writes them."""
    sites: dict[str, dict] = {}
    for number in range(phones):
        at, place = divmod(number, PER_SITE)
        sites.setdefault(f"site_{at + 1:02}", {"hosts": {}})["hosts"][f"phone-{number + 1:04}"] = {
            "ansible_host": f"127.{net}.{at}.{place + 1}", "sip_mac": f"000b82{number:06x}", "sip_extensions": [str(1001 + number)],
            "fake_generation": "G3" if number % 2 else "G2"}
    pbx = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}", "sip_pbx_host": f"127.{net}.250.1",
           "sip_pbx_port": 15038, "sip_pbx_user": "evenport", "sip_pbx_password": AMI_SECRET, "sip_pbx_config_dir": str(folder / ".sip" / "asterisk")}
    shared = {"sip_pbx": "bench-pbx", "sip_phone_protocol": "http", "sip_phone_port": WEB_PORT, "sip_phone_password": PASSWORD}
    files = {
        "hosts.yml": {"pbxs": {"hosts": {"bench-pbx": pbx}}, "sites": {"children": sites}},
        "group_vars/sites/main.yml": shared,
        **{f"group_vars/{site}/main.yml": {"sip_site": site} for site in sites},
    }
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return folder


def read_phones(inventory: Path) -> dict[str, dict]:
    """Phone -> its host variables, and its site's name as ``site``."""
    groups = yaml.safe_load((inventory / "hosts.yml").read_text(encoding="utf-8"))["sites"]["children"]
    return {name: {**host, "site": site} for site, group in groups.items() for name, host in group["hosts"].items()}


def planned_ports(inventory: Path) -> dict[str, int]:
    """Phone -> the port of its one line, from the locks."""
    locks = [yaml.safe_load(path.read_text(encoding="utf-8"))["sip_ports"] for path in sorted(inventory.glob("group_vars/*/sip_ports.yml"))]
    return {phone: ports[0] for lock in locks for phone, ports in lock.items()}


class Fakes:
    """``with Fakes(inventory) as fakes:`` everything up and as from the factory (all phones on 5060); ``fakes.counts()``."""

    def __init__(self, inventory: Path) -> None:
        self.inventory = inventory

    def __enter__(self) -> Fakes:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.site", str(self.inventory)], cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.counts()
        return self

    def counts(self) -> dict:
        """COUNTED in total, logins of the PBX as ``pbx_logins``, and ``ports``: phone -> the port that it signals from."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit("The fake phones ended early; their error is above.")
        return json.loads(line)

    def __exit__(self, *_exc) -> None:
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def serve(inventory: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))        # a listener per phone, and connections
    threading.stack_size(256 * 1024)                                # so many threads
    hosts = read_phones(inventory)
    pbx_host = yaml.safe_load((inventory / "hosts.yml").read_text(encoding="utf-8"))["pbxs"]["hosts"]["bench-pbx"]
    config = Path(pbx_host["sip_pbx_config_dir"])
    config.mkdir(parents=True, exist_ok=True)
    (config / "pjsip_evenport.conf").unlink(missing_ok=True)
    (config / "pjsip.conf").write_text(PJSIP + "".join(ENDPOINT.format(host["sip_extensions"][0]) for host in hosts.values()), encoding="utf-8")
    pbx = FakeAsterisk(config, pbx_host["sip_pbx_host"], pbx_host["sip_pbx_port"], users={pbx_host["sip_pbx_user"]: AMI_SECRET}).start()
    routers = {site: Router(f"203.0.113.{number % 250 + 1}") for number, site in enumerate(dict.fromkeys(host["site"] for host in hosts.values()))}

    def register(fake: FakeGrandstream, account: int, port: int) -> None:
        host, inside = by_address[fake.address], "192.168.1." + fake.address.rpartition(".")[2]
        pbx.register(host["sip_extensions"][account - 1], inside, port, routers[host["site"]].address, routers[host["site"]].translate(inside, port))

    by_address = {host["ansible_host"]: host for host in hosts.values()}
    phones = {
        name: FakeGrandstream(
            generation=host["fake_generation"], mac=host["sip_mac"], password=PASSWORD, address=host["ansible_host"], port=WEB_PORT,
            accounts=[{"user": host["sip_extensions"][0], "active": True, "port": 5060}], on_register=register).start()
        for name, host in hosts.items()}
    for _line in sys.stdin:
        counts = {counter: sum(getattr(phone, counter) for phone in phones.values()) for counter in COUNTED}
        print(json.dumps({**counts, "pbx_logins": pbx.logins, "ports": {name: phone.effective[1] for name, phone in phones.items()}}), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
