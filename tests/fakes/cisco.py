# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Cisco: SPA5xx ("spa"), Linksys/Sipura SPA9xx ("sipura"), 3PCC/MPP ("mpp"), and an ATA ("ata") for other people's clients.

    fake = FakeCisco("spa", password="secret", accounts=[{"user": "101", "active": True, "port": 5060}])
    fake.start(); fake.port; fake.values["SIP_Port_1_"]; fake.writes; fake.stop()

``values`` has the settings by their names in /admin/spacfg.xml. Access to /admin: Basic (spa), Digest without qop, realm "spa user"
(sipura), Digest with qop (mpp); ``scheme=""`` or an empty password: open to everybody. The field numbers of the web form are other ones
in each fake. A resync really fetches the URL it is given, follows no redirect, and sets what the profile names.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    no_form               the page has no form (404)
    form_without_tabs     the fields of all extensions stand in one heap
    form_shows            {setting: value}: the page shows another value than the configuration
    form_refuses          a status: what submitting the form is answered
    html_form             "tags": the page leaves its <td> and <tr> open, as old firmware does (always so with "sipura")
    web_admin             False: nothing below /admin (Enable_Web_Admin_Access is No): 403
    one_nonce             each Digest nonce is good for one request, and the next refusal does not say stale
    resync_refused        a status: what a resync is answered
    resync_lost           the resync is answered, and nothing is fetched
    resync_delay          seconds until it fetches (default 0.02)
    resync_when_idle      it fetches when nobody is on the phone (``busy``)
    resync_apply          seconds from fetching to applying (default 0)
    resync_twice          it fetches a second time
    resync_from           the address it fetches from (default: its own): a NAT between us
    quiet_status          the configuration has no status: no call state, no running time
    reboot_when_idle      it restarts when nobody is on the phone (``busy``)
    enterprise            firmware for a call manager: another web page, no spacfg.xml
"""

from __future__ import annotations

import contextlib
import hashlib
import html
import http.client
import random
import re
import threading
import time
import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Drop, Reply, Request

_MODELS = {"spa": "SPA504G", "sipura": "SPA942", "mpp": "CP-8851-3PCC", "ata": "SPA112"}
_FIRMWARE = {"spa": "7.5.5a", "sipura": "5.1.15(a)", "mpp": "sip88xx.11.3.7", "ata": "1.4.1(002)"}
_EXTENSIONS = {"spa": 4, "sipura": 4, "mpp": 10, "ata": 2}

# Setting -> (tab/section, default). Of the phone:
_PHONE = {
    "Enable_Web_Server": ("System/System_Configuration", "Yes"),
    "Web_Server_Port": ("System/System_Configuration", "80"),
    "Enable_Web_Admin_Access": ("System/System_Configuration", "Yes"),
    "HostName": ("System/Optional_Network_Configuration", ""),
    "SIP_TCP_Port_Min": ("SIP/SIP_Parameters", "5060"),
    "SIP_TCP_Port_Max": ("SIP/SIP_Parameters", "5080"),
    "RTP_Port_Min": ("SIP/RTP_Parameters", "16384"),
    "RTP_Port_Max": ("SIP/RTP_Parameters", "16482"),
    "Handle_VIA_received": ("SIP/NAT_Support_Parameters", "No"),
    "Handle_VIA_rport": ("SIP/NAT_Support_Parameters", "No"),
    "Insert_VIA_rport": ("SIP/NAT_Support_Parameters", "No"),
    "Send_Resp_To_Src_Port": ("SIP/NAT_Support_Parameters", "No"),
    "STUN_Enable": ("SIP/NAT_Support_Parameters", "No"),
    "STUN_Server": ("SIP/NAT_Support_Parameters", ""),
    "EXT_IP": ("SIP/NAT_Support_Parameters", ""),
    "NAT_Keep_Alive_Intvl": ("SIP/NAT_Support_Parameters", "15"),
    "Provision_Enable": ("Provisioning/Configuration_Profile", "Yes"),
    "Resync_On_Reset": ("Provisioning/Configuration_Profile", "Yes"),
    "Resync_Periodic": ("Provisioning/Configuration_Profile", "3600"),
    "Resync_From_SIP": ("Provisioning/Configuration_Profile", "Yes"),
    "Resync_Fails_On_FNF": ("Provisioning/Configuration_Profile", "Yes"),
    "Profile_Rule": ("Provisioning/Configuration_Profile", "/spa$PSN.cfg"),
    "Profile_Rule_B": ("Provisioning/Configuration_Profile", ""),
    "Dial_Tone": ("Regional/Call_Progress_Tones", "350@-19,440@-19;10(*/0/1+2)"),
    "Station_Name": ("Phone/General", "Küche <1>"),
}
# And of each extension.
_LINE = {
    "Line_Enable_{n}_": ("General", "No"),
    "Share_Ext_{n}_": ("Share_Line_Appearance", "private"),
    "NAT_Mapping_Enable_{n}_": ("NAT_Settings", "No"),
    "NAT_Keep_Alive_Enable_{n}_": ("NAT_Settings", "No"),
    "NAT_Keep_Alive_Msg_{n}_": ("NAT_Settings", "$NOTIFY"),
    "NAT_Keep_Alive_Dest_{n}_": ("NAT_Settings", "$PROXY"),
    "SIP_Transport_{n}_": ("SIP_Settings", "UDP"),
    "SIP_Port_{n}_": ("SIP_Settings", ""),
    "EXT_SIP_Port_{n}_": ("SIP_Settings", ""),
    "Proxy_{n}_": ("Proxy_and_Registration", "192.0.2.10"),
    "Register_{n}_": ("Proxy_and_Registration", "Yes"),
    "User_ID_{n}_": ("Subscriber_Information", ""),
    "Password_{n}_": ("Subscriber_Information", "sip-secret-{n}"),
}
_SECRET = ("Password_",)


class SipuraGuard(Guard):
    """Digest as RFC 2069 has it: no qop, two spaces after the scheme."""

    def challenge(self) -> tuple[str, str]:
        return ("WWW-Authenticate", f'Digest  realm="{self.realm}", domain="/", nonce="{self.nonce}", algorithm=MD5')

    def _digest(self, request: Request, given: str) -> bool:
        got = {name: quoted or plain for name, quoted, plain in re.findall(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|([^\s,]+))", given)}

        def digest(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        uri = got.get("uri", "")
        wanted = digest(":".join([digest(f"{self.username}:{self.realm}:{self.password}"), self.nonce, digest(f"{request.method}:{uri}")]))
        return (got.get("username") == self.username and got.get("nonce") == self.nonce and uri.partition("?")[0] == request.path
                and got.get("response") == wanted and "qop" not in got)


class FakeCisco(FakePhone):
    """See the module. Counters: those of every FakePhone, and resyncs, fetches, resync_failures, credentials (requests that came with some)."""

    MAC = "0002FDFF2103"

    def __init__(self, kind: str = "spa", *, scheme: str | None = None, **more: Any) -> None:
        self.kind = kind
        self.MODEL, self.FIRMWARE = _MODELS[kind], _FIRMWARE[kind]
        self.groups: dict[str, str] = {}        # setting -> "Ext_1/SIP_Settings"
        self.numbers: dict[str, str] = {}       # setting -> field name on the form, "63151" or "P64815"
        self.resyncs = self.fetches = self.resync_failures = self.credentials = 0
        self.fetched: list[str] = []            # the URLs
        self.served: list[str] = []             # the profiles that came
        self._read_once = False
        super().__init__(**more)
        scheme = {"spa": "Basic", "sipura": "Digest", "mpp": "Digest", "ata": ""}[kind] if scheme is None else scheme
        made = SipuraGuard if kind == "sipura" else Guard
        self.guard = made(self.username, self.password, "spa user" if kind == "sipura" else "spa admin", scheme) if scheme and self.password else None

    # ------------------------------------------------------------------ state

    def account_count(self) -> int:
        return _EXTENSIONS[self.kind]

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        for name, (group, value) in _PHONE.items():
            self.values[name], self.groups[name] = value, group
        for n in range(1, self.accounts + 1):
            for name, (section, value) in _LINE.items():
                key = name.format(n=n)
                self.values[key], self.groups[key] = value.format(n=n), f"Ext_{n}/{section}"
            self.values[f"SIP_Port_{n}_"] = str(5059 + n)
        for n, account in enumerate(accounts, 1):
            self.values[f"Line_Enable_{n}_"] = "Yes" if account.get("active", True) else "No"
            self.values[f"User_ID_{n}_"] = str(account.get("user", ""))
            if account.get("port") is not None:
                self.values[f"SIP_Port_{n}_"] = str(account["port"])
        numbers = random.sample(range(100, 65536), len(self.values))
        self.numbers = {key: ("P" if key.startswith(_SECRET) else "") + str(number) for key, number in zip(self.values, numbers, strict=True)}

    def port_of(self, account: int) -> int | None:
        if self.values[f"Line_Enable_{account}_"].lower() != "yes" or not self.values[f"User_ID_{account}_"]:
            return None
        return int(self.values[f"SIP_Port_{account}_"] or str(5059 + account), 0)

    def nat_of(self, account: int) -> Any:
        return self.values[f"NAT_Keep_Alive_Enable_{account}_"], self.values[f"NAT_Mapping_Enable_{account}_"]

    def valid(self, key: str, value: str) -> bool:
        if key.startswith(("SIP_Port_", "EXT_SIP_Port_", "NAT_Keep_Alive_Intvl")):
            return bool(re.fullmatch(r"(?:0x[0-9a-fA-F]{1,4}|[0-9]{1,5})?", value)) and int(value or "0", 0) <= 65535
        if "_Enable" in key:
            return value.lower() in ("yes", "no")
        return len(value) <= 512

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        self.credentials += "authorization" in request.headers
        if self.faults.get("enterprise"):
            return self._enterprise(request)
        if request.path == "/":
            return self._front(request)
        if self.kind == "ata":
            return self._ata(request)
        if not request.path.startswith("/admin"):
            return Reply(404, b"<html>404</html>")
        if self.faults.get("web_admin") is False:
            return Reply(403, b"<html>403 Forbidden</html>")
        if not self._admitted(request):
            return Reply(401, b"<html>401 Unauthorized</html>", headers=[self.guard.challenge()])
        handler = {"/admin/spacfg.xml": self._config, "/admin/advanced": self._page, "/admin/reboot": self._reboot, "/admin/resync": self._resync,
                   self._action(): self._submit}.get(request.path)
        return handler(request) if handler else Reply(404, b"<html>404</html>")

    def _action(self) -> str:
        return "/admin/bsipura.spa" if self.kind == "sipura" else "/admin/bcisco.csc"

    def _admitted(self, request: Request) -> bool:
        if self.guard is None:
            return True
        given = request.headers.get("authorization", "")
        outdated = given.startswith("Digest") and f'nonce="{self.guard.nonce}"' not in given       # says nothing of the password
        good = self.guard.admits(request)
        self.login_attempts += bool(given) and not good and not outdated
        if good and self.faults.get("one_nonce"):
            self.guard.stale()
        return good

    def _front(self, request: Request) -> Reply:
        if self.kind == "sipura" and self.guard is not None:
            return Reply(401, b"", headers=[self.guard.challenge()])
        title = "Sipura SPA Configuration" if self.kind == "sipura" else f"{self.model} Configuration Utility"
        return Reply(200, f"<html><head><title>{title}</title></head><body>Voice</body></html>".encode())

    def _enterprise(self, request: Request) -> Reply:
        if request.path != "/":
            return Reply(404, b"<html>404</html>")
        return Reply(200, b'<html><head><title>Cisco Systems, Inc.</title></head><body>Device information<br>Host name SEP0002FDFF2103'
                          b'<a href="/CGI/Java/Serviceability?adapter=device.statistics.configuration">Network configuration</a></body></html>')

    # ------------------------------------------------------------------ the configuration

    def _info(self) -> list[tuple[str, str, str]]:
        """(name, group, value) of the status part. Names are those of an old SPA's file; registration and calls repeat them for each line."""
        up = self.up_time
        rows = [("Product_Name", "Info/Product_Information", self.model), ("Serial_Number", "Info/Product_Information", "CBT141400UK"),
                ("Software_Version", "Info/Product_Information", self.firmware), ("MAC_Address", "Info/Product_Information", self.mac)]
        if self.kind == "mpp" or self.faults.get("quiet_status"):
            if not self.faults.get("quiet_status"):
                rows.append(("Elapsed_Time", "Info/Phone_Status", f"{up // 86400} days and {up // 3600 % 24:02}:{up // 60 % 60:02}:{up % 60:02}"))
            return rows
        rows.append(("Elapsed_Time", "Info/Phone_Status", f"{up // 3600:02}:{up // 60 % 60:02}:{up % 60:02}"))
        for n in range(1, self.accounts + 1):
            rows += [("Registration_State", f"Info/Ext_{n}_Status", "Registered" if n in self.effective else "Not Registered"),
                     ("Next_Registration_In", f"Info/Ext_{n}_Status", "55 s" if n in self.effective else ""), ("Mapped_SIP_Port", f"Info/Ext_{n}_Status", "")]
        for n in range(1, self.accounts + 1):
            for call in (1, 2):
                state = "Connected" if (n, call) == (1, 1) and not self.idle() else "Idle" if n in self.effective else "No Service" if n == 3 else "Disabled"
                rows += [("Call_State", f"Info/Line_{n}_Call_{call}_Status", state), ("Tone", f"Info/Line_{n}_Call_{call}_Status", "None")]
        return rows

    def _config(self, request: Request) -> Reply:
        busy = self.faults.get("busy")
        if self._read_once and busy and not isinstance(busy, bool):
            self.polls += 1                     # one page for all: what comes after the first look, while it is busy, is a poll
        self._read_once = True
        lines = []
        for name, group, value in [*self._info(), *((key, self.groups[key], value) for key, value in self.values.items())]:
            shown = "*" * 8 if name.startswith(_SECRET) and value else value
            mark = 'ua="rw"' if name == "Station_Name" else 'ua="na"'
            mark = mark if self.kind == "mpp" else f'group="{group}"'
            lines.append(f"<{name} {mark}>{html.escape(shown, quote=False)}</{name}>" if shown else f"<{name} {mark}/>")
        start = '<?xml version="1.0" encoding="UTF-8"?>\n' if self.kind == "mpp" else ""
        space = ' xmlns="http://www.sipura.net/xsd/SPA50x-30x-SIP"' if self.kind == "spa" else ""
        return Reply(200, f"{start}<flat-profile{space}>\n{chr(10).join(lines)}\n</flat-profile>\n".encode(), "text/xml")

    # ------------------------------------------------------------------ the form

    def _page(self, request: Request) -> Reply:
        if self.kind == "mpp" or self.faults.get("no_form"):
            return Reply(404, b"<html>404</html>")
        open_tags = self.kind == "sipura" or self.faults.get("html_form") == "tags"
        tabs: dict[str, list[str]] = {}
        for key in self.values:
            tab = self.groups[key].split("/")[0].replace("_", " ")
            tabs.setdefault("everything" if self.faults.get("form_without_tabs") else tab, []).append(key)
        parts = []
        for tab, keys in tabs.items():
            rows = []
            for left, right in zip(keys[::2], [*keys[1::2], ""], strict=False):     # two settings in a row
                cells = [cell for key in (left, right) if key for cell in (self._label(key), self._control(key))]
                end, row_end = ("", "") if open_tags else ("</td>", "</tr>")
                rows.append('<tr bgcolor="#dcdcdc">' + "".join(f"<td>{cell}{end}" for cell in cells) + row_end)
            parts.append(f'<div id="{tab}" class="menuDiv"><table><tr><td colspan="4"><b>{tab}</b></td></tr>\n' + "\n".join(rows) + "</table></div>")
        action = self._action().rpartition("/")[2]
        page = (f"<html><head><title>{self.model} Configuration Utility</title></head><body onload='onLoad()'><!-- <form action=\"old.csc\"></form> -->"
                f'<form action="{action}" method="POST"><table><tr><td><div id="tableData">{"".join(parts)}</div></td></tr></table>'
                '<input type="submit" value="Submit All Changes"></form></body></html>')
        return Reply(200, page.encode(), "text/html; charset=UTF-8")

    def _label(self, key: str) -> str:
        return key.rstrip("_").rpartition("_")[0].replace("_", " ") + ":" if key.endswith("_") else key.replace("_", " ") + ":"

    def _control(self, key: str) -> str:
        value = (self.faults.get("form_shows") or {}).get(key, self.values[key])
        name = self.numbers[key]
        if self.values[key].lower() in ("yes", "no"):
            return (f'<select class="inputc" name="{name}"><option value="1"{" selected" if value.lower() == "yes" else ""}>yes'
                    f'<option value="0"{" selected" if value.lower() == "no" else ""}>no</select>')
        if name.startswith("P"):
            return f'<input class="inputc" type="password" size="20" name="{name}" value="" maxlength="63">&nbsp;'
        return f'<input class="inputc" size="20" name="{name}" value="{html.escape(value)}" maxlength="511">&nbsp;'

    def _submit(self, request: Request) -> Reply:
        if request.method != "POST" or self.kind == "mpp":
            return Reply(404)
        if self.faults.get("form_refuses"):
            return Reply(int(self.faults["form_refuses"]))
        keys = {number: key for key, number in self.numbers.items()}
        changes = {}
        for number, value in request.form.items():
            key = keys.get(number, "")          # a number that this firmware does not have: nothing happens
            if key and self.values[key].lower() in ("yes", "no"):
                value = {"1": "Yes", "0": "No"}.get(value, "")
            if key:
                changes[key] = value
        self.store(changes)
        return Reply(200, b"<html><body>The phone will be updated with your changes.</body></html>")

    # ------------------------------------------------------------------ resync

    def _resync(self, request: Request) -> Reply:
        self.resyncs += 1
        if self.faults.get("resync_refused"):
            return Reply(int(self.faults["resync_refused"]))
        url = next(iter(request.query), "")
        if self.values["Provision_Enable"] == "Yes" and not self.faults.get("resync_lost") and url.startswith("http://"):
            threading.Thread(target=self._fetch, args=(url,), daemon=True).start()
        if self.faults.get("drop_on_write"):
            raise Drop
        return Reply(200, b"<html><body>The phone will resync when it is not in use.</body></html>")

    def _fetch(self, url: str) -> None:
        time.sleep(float(self.faults.get("resync_delay", 0.02)))
        while self.faults.get("resync_when_idle") and not self.idle() and not self._stopping.is_set():
            time.sleep(0.02)
        profile = self._get(url)
        if self.faults.get("resync_twice"):
            self._get(url)
        if profile is None:
            return
        time.sleep(float(self.faults.get("resync_apply", 0)))
        with self.lock, contextlib.suppress(Drop):      # nobody waits for an answer here
            self.store(profile)

    def _get(self, url: str) -> dict[str, str] | None:
        """What the profile at *url* names; None: no profile."""
        self.fetched.append(url)
        target = urlsplit(url)
        source = (self.faults.get("resync_from", self.address), 0)
        connection = http.client.HTTPConnection(target.hostname or "", target.port or 80, timeout=3, source_address=source)
        try:
            connection.request("GET", target.path, headers={"User-Agent": f"Cisco/{self.model}-{self.firmware} ({self.mac})(CBT141400UK)"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            self.resync_failures += 1
            return None
        finally:
            connection.close()
        self.fetches += 1
        if answer.status != 200:                # not found may count as "nothing to do"
            self.resync_failures += answer.status != 404 or self.values["Resync_Fails_On_FNF"] == "Yes"
            return None
        self.served.append(body.decode())
        try:
            root = ET.fromstring(body)
        except ET.ParseError:
            self.resync_failures += 1
            return None
        return {element.tag: element.text or "" for element in root} if root.tag == "flat-profile" else None

    def _reboot(self, request: Request) -> Reply:
        if self.guard is not None:
            self.guard.stale()                  # a new start, new nonces
        reply = Reply(200, b"<html><body>The phone will reboot when it is not in use.</body></html>")
        if not self.faults.get("reboot_when_idle"):
            return self.restart(reply)
        threading.Thread(target=self._reboot_later, daemon=True).start()
        return reply

    def _reboot_later(self) -> None:
        while not self.idle() and not self._stopping.is_set():
            time.sleep(0.02)
        self.restart(Reply())

    # ------------------------------------------------------------------ an ATA, as pyciscospa 0.1.4 talks to it

    def _ata(self, request: Request) -> Reply:
        path, dummy, rest = request.path.partition("&")
        given = dict(pair.partition("=")[::2] for pair in rest.split("&"))
        if path == "/admin/status.xml":
            if (given.get("xuser"), given.get("xpassword")) != (self.username, self.password):
                self.login_attempts += 1
                return Reply(401)
            return Reply(200, self._ata_status().encode(), "text/xml")
        asked = (request.form.get("session_key"), request.form.get("submit_button"))
        if request.method == "POST" and request.path == "/apply.cgi;session_id=5e551017" and asked == ("5e551017", "Reboot"):
            return self.restart(Reply(200, b"<html></html>"))
        return Reply(404)

    def _ata_status(self) -> str:
        rows = [f"<Product_Name>{self.model}</Product_Name>", f"<Software_Version>{self.firmware}</Software_Version>", f"<MAC_Address>{self.mac}</MAC_Address>"]
        for n in (1, 2):
            registered = n in self.effective
            rows += [f"<Hook_State_{n}_>On</Hook_State_{n}_>", f"<Registration_State>{'Registered' if registered else 'Not Registered'}</Registration_State>",
                     f"<Last_Registration_At>{'1/1/2026 00:00:00' if registered else ''}</Last_Registration_At>",
                     f"<Next_Registration_In>{'55 s' if registered else ''}</Next_Registration_In>", "<Mapped_SIP_Port></Mapped_SIP_Port>",
                     f"<Last_Called_Number_{n}_></Last_Called_Number_{n}_>", f"<Last_Caller_Number_{n}_></Last_Caller_Number_{n}_>"]
            for name, value in (("State", "Idle" if self.idle() else "Connected"), ("Duration", ""), ("Peer_Phone", ""), ("Peer_Name", ""), ("Type", "")):
                rows.append(f"<Call_{n}_{name}_1_>{value}</Call_{n}_{name}_1_>")
        return "<flat-status>" + "".join(rows) + "<router-status><Session_ID>5e551017</Session_ID></router-status></flat-status>"
