# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Htek (Hanlong, Sangoma S): the whole configuration as XML, partial uploads, and a restart after every upload that it takes.

    fake = FakeHtek("basic", password="secret", accounts=[{"user": "101", "active": True, "port": 5060, "random": False}])

Kinds: "basic" (old firmware: Basic, Server: HanLong, labels with a dot, settings of NAT per account) and "digest" (newer firmware: Digest, no
Server, labels with an underscore, settings of NAT in profiles that accounts share, and P578 is the profile of account 2).

``values`` are by P-code, ``labels`` has the label of each. As from the factory an account uses a random port, unless ``random`` says otherwise.
Nothing that is stored has an effect before the restart.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    no_first_401          the first request after a start is answered at once, also where its login is right
    no_up_time            the status page has no up-time
    refused               an upload is answered 200 with a page, and nothing happens
    forbidden             an upload is answered 403
    missing               list of labels (AccountN.UseRandomPort) that this firmware does not have
    names                 True: elements are called by their labels (<Account1_LocalSipPort>) instead of their P-codes
    no_reboot_page        rb_phone.htm is 404
"""

from __future__ import annotations

import re
from email.parser import BytesParser
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Drop, Reply, Request

# How many accounts the page of a model shows. UC902G [HW]; the others are the fake's own choice.
_ACCOUNTS = {"UC902G": 2, "UC903": 3, "UC924": 4, "UC926": 6, "S500": 4}
_IN_FILE = 6                    # the downloaded file has settings of accounts that the model does not have

# P-codes per account 1..6 and factory values, sheet section 7.
_PER_ACCOUNT = {
    "Active": ((271, 401, 501, 601, 1701, 1801), "0"),
    "LocalSipPort": ((40, 740, 513, 613, 1713, 1813), ""),
    "UseRandomPort": ((78, 778, 578, 678, 20390, 20391), "1"),
    "SipUserId": ((35, 735, 504, 604, 1704, 1804), ""),
    "AuthenticateID": ((36, 736, 505, 605, 1705, 1805), ""),
    "AuthenticatePassword": ((34, 734, 506, 606, 1706, 1806), "line%20secret"),
    "DispalyName": ((3, 703, 507, 607, 1707, 1807), "Front desk & <lobby>"),
}
_SERVER_SIDE = {                # of the account, or on newer firmware of the profile
    "Sipserver": ((47, 747, 502, 602, 1702, 1802), "192.0.2.10"),
    "NatTraversal": ((52, 730, 514, 614, 20376, 20377), "0"),
    "RPort": ((136, 137, 138, 139, 140, 141), "1"),
    "OutboundProxy": ((48, 748, 503, 603, 1703, 1803), ""),
    "SymmetricRTP": ((291, 460, 291001, 291002, 291003, 291004), "0"),
}
_PROFILE = (24082, 578, 24084, 24085, 24086, 24087)     # P578: the number that old firmware has for the random port of account 3
_GLOBAL = {
    76: ("STUN Server", "NW_Adv_STUN_Server", ""),
    84: ("KeepAtiveInterval", "NW_Adv_KeepAtiveInterval", "20"),
    39: ("MinRtpPort", "NW_MinRtpPort", "12100"),
    739: ("MaxRtpPort", "NW_MaxRtpPort", "12200"),
    237: ("FirmwareUpGrade.ConfigServerPath", "FirmwareUpGrade_ConfigServerPath", ""),
    2: ("AdminPassword", "AdminPassword", "web password"),
    8681: ("LogUser_Admin", "LogUser_Admin", "admin"),
    1305: ("DND_Enable", "DND_Enable", "0"),
    8503: ("RingVolume", "RingVolume", "7"),
    4200: ("Account1.DialPlan", "Account1_DialPlan", "{[x*]+}"),
}
_FILLER = 3500                  # elements that nobody asks for: the file is 190 kB [HW]


class FakeHtek(FakePhone):
    MODEL = "UC902G"
    FIRMWARE = "2.42.6.5.45R14"
    MAC = "001FC121CF23"

    def __init__(self, kind: str = "basic", *, random: bool = True, title: str = "IP Phone", server: str | None = None, filler: int = _FILLER,
                 **more: Any) -> None:
        self.kind, self.random, self.title, self.filler = kind, random, title, filler
        self.server_header = server if server is not None else "HanLong" if kind == "basic" else ""
        self.labels: dict[str, str] = {}
        self._greeted: set[str] = set()
        super().__init__(**more)
        self.guard = self._new_guard()
        self._booted -= 689556                  # 7 day(s) 23 hour(s) 32 min(s) 36 sec(s)

    # ------------------------------------------------------------------ settings

    def account_count(self) -> int:
        return _ACCOUNTS.get(self.model, 2)

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        dot = "." if self.kind == "basic" else "_"
        server_side = "Account" if self.kind == "basic" else "Profile"
        for number in range(1, _IN_FILE + 1):
            for name, (codes, value) in _PER_ACCOUNT.items():
                code = codes[number - 1]
                if self.kind == "digest" and name == "UseRandomPort" and number == 3:
                    code = 20389                # the fake's own: P578 is taken there
                self._define(code, f"Account{number}{dot}{name}", value)
            for name, (codes, value) in _SERVER_SIDE.items():
                self._define(codes[number - 1], f"{server_side}{number}{dot}{name}", value)
            if self.kind == "digest":
                self._define(_PROFILE[number - 1], f"Account{number}_Profile", "0")
        for code, (old, new, value) in _GLOBAL.items():
            self._define(code, old if self.kind == "basic" else new, value)
        for number in range(self.filler):
            self._define(30000 + number, f"LineKey{number // 6 + 5}{dot}Extension{number % 6}", "1" if number % 7 else "")
        for number, account in enumerate(accounts, 1):
            self.set(number, "Active", "1" if account.get("active", True) else "0")
            self.set(number, "SipUserId", str(account.get("user", "")))
            self.set(number, "UseRandomPort", "1" if account.get("random", self.random) else "0")
            if account.get("port") is not None:
                self.set(number, "LocalSipPort", str(account["port"]))
        for label in self.faults.get("missing", ()):
            code = self.code(label)
            del self.labels[code], self.values[code]

    def _define(self, code: int, label: str, value: str) -> None:
        self.labels[f"P{code}"], self.values[f"P{code}"] = label, value

    def code(self, label: str) -> str:
        """"Account1.LocalSipPort" (or with _) -> "P40"; "" where this phone has none."""
        return next((code for code, known in self.labels.items() if known.replace("_", ".") == label.replace("_", ".")), "")

    def set(self, account: int, name: str, value: str) -> None:
        """Change a value as a person at the web page would; not a counted write, in force after the next start."""
        self.values[self.code(f"Account{account}.{name}")] = value

    def get(self, account: int, name: str) -> str:
        return self.values.get(self.code(f"Account{account}.{name}"), "")

    def port_of(self, account: int) -> int | None:
        if account > _IN_FILE or self.get(account, "Active") != "1":
            return None
        return 0 if self.get(account, "UseRandomPort") == "1" else int(self.get(account, "LocalSipPort") or 5060)

    def apply(self, everything: bool = False) -> None:
        if everything:                          # nothing comes into force but by a restart
            super().apply(everything=True)

    def valid(self, key: str, value: str) -> bool:
        label = self.labels[key]
        if label.endswith("LocalSipPort"):
            return value == "" or (value.isdigit() and 1 <= int(value) <= 65535)
        if label.endswith(("UseRandomPort", "RPort")):
            return value in ("0", "1")
        return not label.endswith("NatTraversal") or value in tuple("012345")

    # ------------------------------------------------------------------ HTTP

    def _new_guard(self) -> Guard:
        return Guard(self.username, self.password, "IP Phone", "Basic" if self.kind == "basic" else "Digest")

    def expire_sessions(self) -> None:
        """At a restart: nonces are forgotten, and everybody's first request is answered 401 again."""
        self.guard = self._new_guard()
        self._greeted.clear()

    def _admits(self, request: Request) -> bool:
        if not self.faults.get("no_first_401") and request.peer not in self._greeted:
            self._greeted.add(request.peer)
            return False                        # not looked at
        given = request.headers.get("authorization", "")
        if self.kind == "digest" and self.guard.nonce not in given:
            return False                        # a nonce from before the restart, and it does not say that it is stale
        good = self.guard.admits(request)
        self.login_attempts += bool(given) and not good
        return good

    def handle(self, request: Request) -> Reply:
        handler = {
            "/": self._index, "/index.htm": self._index, "/download_xml_cfg": self._download, "/HLCFG_XML_configuration.htm": self._upload,
            "/rb_phone.htm": self._reboot_page, "/Phone_ActionURL&key=Reboot": self._reboot, "/save_managerment.htm": self._save, "/logout.htm": self._logout,
        }.get(request.path)
        if not self._admits(request):
            page = f"<html><head><title>{self.title}</title></head><body>401 Unauthorized</body></html>"
            return Reply(401, page.encode(), headers=[self.guard.challenge()])
        return handler(request) if handler else Reply(404, b"<html><title>404</title></html>")

    def _logout(self, request: Request) -> Reply:
        self.logouts += 1
        return Reply(200, b"<html></html>")

    def _index(self, request: Request) -> Reply:
        seconds = self.up_time
        up = f"{seconds // 86400} day(s) {seconds // 3600 % 24} hour(s) {seconds // 60 % 60} min(s) {seconds % 60} sec(s)"
        colons = ":".join(self.mac[i:i + 2] for i in range(0, 12, 2)).lower()
        rows = [_row("product_type", self.model),
                _row("firmware_version", f"BOOT--2.42.6.5(2023-01-11 16:44:00)<br>ROM--{self.firmware}(2023-01-11 16:44:00)<br>DSP--9.0.3RB-VB(Patch 1.0.16M)"),
                f'<!--{_row("exp_module_1", "")}{_row("product_type", "UC46")}-->']
        rows += [self._account_row(number) for number in range(1, self.accounts + 1)]
        rows.append("<!--" + "".join(self._account_row(number) for number in range(self.accounts + 1, 17)) + "-->")
        rows += [_row("mac_address", colons), _row("current_time", "19-05-2026 11:41:00")]
        if not self.faults.get("no_up_time"):
            rows.append(_row("system_up_time", up))
        body = (f'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN">\n<html><head><title>{self.title}</title></head><body>'
                '<a href="logout.htm"><script> document.write(jscs.logout);</script></a>'
                "<h1><script> document.write(jscs.system_up_time);</script>:<p><script> document.write(jscs.status_font4);</script></p></h1>"
                f"<form ><table ><tbody>{''.join(rows)}</table></body></html>")
        return Reply(200, body.encode())

    def _account_row(self, number: int) -> str:
        # Only account_disabled was ever seen; what a registered account shows is the fake's own.
        on = number <= self.accounts and self.get(number, "Active") == "1"
        return _row(f"account{number}", f"<script> document.write(jscs.account_{'registered' if on else 'disabled'});</script>")

    def _download(self, request: Request) -> Reply:
        names = self.faults.get("names")
        lines = ['<?xml version="1.0" encoding="UTF-8" ?>', '<hl_provision version="1">', '    <config version="1">', "        <!--Account1/Basic-->"]
        for code, value in self.values.items():
            label = self.labels[code]
            if names:
                tag = re.sub(r"[^0-9A-Za-z]", "_", label)
                lines.append(f"        <{tag}>{escape(value)}</{tag}>" if value else f"        <{tag} />")
            else:
                lines.append(f'        <{code} para="{label}">{escape(value)}</{code}>' if value else f'        <{code} para="{label}" />')
        return Reply(200, "\n".join([*lines, "    </config>", "</hl_provision>", ""]).encode(), "text/xml")

    def _upload(self, request: Request) -> Reply:
        if request.method != "POST":
            return Reply(405)
        if self.faults.get("forbidden"):
            return Reply(403)
        part = _file(request)
        try:
            root = ElementTree.fromstring(part or b"")
        except ElementTree.ParseError:
            root = None
        if self.faults.get("refused") or root is None or root.tag != "hl_provision":
            return Reply(200, b"<html><title>IP Phone</title>configuration</html>")
        by_name = {re.sub(r"[^0-9A-Za-z]", "_", label): code for code, label in self.labels.items()}
        changes = {by_name.get(one.tag, one.tag): unquote_to_bytes((one.text or "").encode()).decode("utf-8", "replace") for one in root.findall("config/*")}
        reply = Reply(200, b"<html><title>IP Phone</title>rebooting</html>")
        try:
            self.store(changes)
        except Drop:
            self.restart(reply)
            raise
        return self.restart(reply)

    def _save(self, request: Request) -> Reply:
        """The form of the web page, spelled so; for other clients than ours."""
        self.store(request.form)
        return Reply(200, b"<html>saved</html>")

    def _reboot_page(self, request: Request) -> Reply:
        return Reply(404) if self.faults.get("no_reboot_page") else self._reboot(request)

    def _reboot(self, request: Request) -> Reply:
        return self.restart(Reply(200, b"<html>rebooting</html>"))


def _row(name: str, value: str) -> str:
    """A row of the status page: its label is a call of JavaScript."""
    return (f'<tr class="ws_bg">\n<td width="40"></td>\n<td width="230"><script> document.write(jscs.{name});</script></td>\n'
            f'<td width="280">{value}</td>\n<td></td>\n</tr>\n')


def _file(request: Request) -> bytes | None:
    """The uploaded file, where the form is as the web page sends it: field CfgXmlFile, a name of at most 48 characters that ends in .xml."""
    head = b"Content-Type: " + request.headers.get("content-type", "").encode() + b"\r\n\r\n"
    for part in BytesParser().parsebytes(head + request.body).walk():
        name = part.get_filename() or ""
        if part.get_param("name", header="content-disposition") == "CfgXmlFile" and name.endswith(".xml") and len(name) <= 48:
            return part.get_payload(decode=True)
    return None
