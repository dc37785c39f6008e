"""A real Asterisk 22 from the lab's tree: in a namespace of the lab, or on 127.0.0.1 with free ports for an ordinary test.

    pbx = Asterisk(tree.ensure(), tmp_path)
    pbx.write_config(["101", "102"], nat_option=False)
    pbx.start()
    pbx.rx("pjsip show contacts")
    pbx.stop()
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterable
from pathlib import Path
from string import Template

from tests.lab import processes
from tests.lab.spaces import inside
from tests.lab.tree import LabUnavailable, command, library

HERE = Path(__file__).parent
# Without these Asterisk logs errors, or a module declines to load; empty is fine.
EMPTY = ("ccss", "cdr", "cel", "features", "indications", "acl", "udptl", "pjproject", "websocket_client", "pjsip_notify")

HEAD = """\
[global]
type = global
user_agent = Asterisk-lab

[udp]
type = transport
protocol = udp
bind = $address:$sip_port

[phone](!)
type = endpoint
context = phones
disallow = all
allow = ulaw
direct_media = no
force_rport = $nat
rewrite_contact = $nat
rtp_symmetric = $nat
"""
PHONE = """
[$name](phone)
auth = $name
aors = $name
[$name]
type = auth
auth_type = userpass
username = $name
password = pw$name
[$name]
type = aor
max_contacts = 1
remove_existing = yes
qualify_frequency = $qualify
"""


class Asterisk:
    """``home`` holds everything: etc/ (= the Asterisk configuration directory), var/, run/, log/ (log/full is the log)."""

    ami_user, ami_secret = "ansible", "ami-secret"              # conf/manager.conf has weaker ones too
    conf: tuple[str, ...] = ("conf",)                           # folders of configuration files, a later one's win
    technology = "PJSIP"                                        # the channels that extensions.conf dials

    def __init__(self, tree: Path, home: Path, namespace: str | None = None, address: str | None = None) -> None:
        self.tree, self.home, self.namespace = tree, home.resolve(), namespace
        if len(str(self.home)) > 80:                            # a unix socket's path ends at 107 bytes
            raise LabUnavailable(f"{self.home} is too long a path for Asterisk's control socket; choose a shorter one (pytest --basetemp).")
        self.etc = self.home / "etc"
        self.ami_host = address or "127.0.0.1"
        self.ami_port, self.sip_port = (5038, 5060) if namespace else (_free(socket.SOCK_STREAM), _free(socket.SOCK_DGRAM))
        self._process: subprocess.Popen[bytes] | None = None

    def write_config(self, phones: Iterable[str], nat_option: bool, qualify: int = 0) -> None:
        """Every configuration file anew: *phones* are the extensions (password "pw" + extension), *nat_option* is theirs."""
        words = {"address": self._bound, "sip_port": self.sip_port, "nat": "yes" if nat_option else "no"}
        endpoints = (Template(PHONE).substitute(name=phone, qualify=qualify) for phone in phones)
        self._write_files({"pjsip.conf": Template(HEAD).substitute(words) + "".join(endpoints)})

    def start(self) -> None:
        """Start and wait until fully booted (about 1 s). The contacts of an earlier start are still known, as on a real PBX."""
        (self.home / "log/full").unlink(missing_ok=True)
        self._process = processes.launch(self._command("-f", "-n"), self.home / "log/stdout", self.namespace)
        if not processes.until(lambda: "fully booted" in self.rx("core waitfullybooted"), 20):
            self.stop()
            raise RuntimeError(f"Asterisk did not start: see {self.home}/log")

    def stop(self) -> None:
        """Wait for its end too: started before the old one is gone, a new Asterisk may show an empty contact list."""
        process, self._process = self._process, None
        processes.end(process)

    def cold_restart(self) -> None:
        """Stop, forget every contact and subscription, start."""
        self.stop()
        (self.home / "var/astdb.sqlite3").unlink(missing_ok=True)
        self.start()

    def rx(self, cli: str) -> str:
        """The output of a CLI command; empty when Asterisk is not there."""
        with inside(self.namespace):                            # elsewhere it complains about a missing network card, before the output
            done = subprocess.run(self._command("-rx", cli), capture_output=True, text=True, errors="replace", timeout=30, check=False)
        return done.stdout if done.returncode == 0 else ""

    def remove(self) -> None:
        """Stop and delete everything."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def _bound(self) -> str:
        return "0.0.0.0" if self.namespace else "127.0.0.1"

    @property
    def _modules(self) -> Path:
        folders = library(self.tree) / "asterisk/modules", self.tree / "usr/lib/asterisk/modules"     # the second: up to Debian 12
        return next(folder for folder in folders if folder.is_dir())

    def _write_files(self, files: dict[str, str]) -> None:
        """etc/ anew: the lab's common configuration, and *files* (name: text)."""
        for name in ("etc", "var", "run", "log", "spool", "keys"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        for left in self.etc.iterdir():
            left.unlink()
        for name in EMPTY:
            (self.etc / f"{name}.conf").touch()
        words = {"home": self.home, "tree": self.tree, "modules": self._modules, "ami_port": self.ami_port, "address": self._bound,
                 "technology": self.technology}
        common = {file.name: file for folder in self.conf for file in (HERE / folder).glob("*.conf")}
        for name, file in common.items():
            (self.etc / name).write_text(Template(file.read_text("utf-8")).substitute(words), "utf-8")
        for name, text in files.items():
            (self.etc / name).write_text(text, "utf-8")

    def _command(self, *args: str) -> list[str]:
        return command(self.tree, "usr/sbin/asterisk", "-C", self.etc / "asterisk.conf", *args)


def _free(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
