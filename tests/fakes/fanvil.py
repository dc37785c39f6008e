# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Fanvil (or rebrand): the web session with upload, and the XML service; stateful, with the quirks of the protocol sheet, and faults on demand.

    fake = FakeFanvil("v5501", password="secret", accounts=[{"user": "101"}, {"user": "102"}])
    fake.start(); fake.port; fake.values["sip.SIPPort"]; fake.writes; fake.stop()

Kinds::

    v5501   nonce from /key==nonce, Basic for reading and for the Active URI, one session for the upload, no way to log out,
            every answer announced as chunked and sent raw
    older   nonce in the login form, a session for everything, LogOut.htm, the file input is called System, plain answers
    xml     like v5501, and the XML service answers

``values`` has the dotted paths of <sysConf>: "sip.SIPPort", "sip.line.1.EnableRport". Sessions of phones without a logout are counted
in ``sessions_taken`` instead of logins. Restarts that follow an upload are counted in ``upload_reboots``.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    asks_basic            a page without a login is a 401 (Basic) instead of the login page
    no_basic              Basic is not looked at: reading needs the session
    form_by_basic         /config.htm is shown by Basic too, and takes an upload in the session only
    foreign_session       somebody else holds the session
    too_busy              503 to every login; "all": to everything but the front page
    upload_reboots        the phone restarts after each upload
    storm                 seconds: a login sooner than that after the last one takes the web service down for as long
    extra_bytes           bytes beyond the announced length follow each answer (of a kind that announces one)
    no_file_input         /config.htm has no file input
    two_file_inputs       /config.htm has one for the firmware too
    text_only             the configuration is served as text alone
    old_schema            the exported XML has the root <VOIP_CONFIG_FILE>
    broken_config         the exported XML ends in the middle
    missing               list of keys that this firmware does not have
    strict_get            one unknown key in a cmd="get", and nothing is answered
    ret_code              what the XML service answers to cmd="set" instead of doing it
    reboot_forbidden      the Active URI is limited to another address
"""

from __future__ import annotations

import collections
import contextlib
import email
import hashlib
import re
import secrets
import threading
import time
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Drop, FakeWebServer, Reply, Request

_LOGIN = b"""<html><head><title>VoIP Phone</title></head><body><div class="logon_content"><form method="post" action="/">
<input id="username"><input type="password" id="password"><input type="hidden" name="encoded" id="encoded">
<input type="hidden" name="CurLanguage" value="en"><input type="hidden" name="ReturnPage" value="/"></form></div></body></html>"""
_OLD_LOGIN = """<html><body><form method="post" action="/"><input type="hidden" name="encoded" value="">
<input type="hidden" name="nonce" value="{nonce}"><input type="hidden" name="URL" value="/"><input type="submit" name="goto" value="Logon">
</form></body></html>"""
_INSIDE = b'<html><frameset cols="180,*"><frame src="realws.htm"><frame src="currentstat.htm"></frameset></html>'

_GLOBAL = {
    "net.WANTYPE": "0", "net.PrimaryDNS": "192.0.2.53", "mm.RTPInitialPort": "10000", "mm.RTPPortQuantity": "200",
    "sip.SIPPort": "5060", "sip.STUNServer": "", "sip.STUNPort": "3478", "sip.STUNRefreshTime": "50", "sip.SIPWaitStunTime": "800",
    "sip.NotifyReboot": "1", "call.port.1.EnableDND": "0", "phone.MenuPassword": "123", "phone.display.LCDTitle": "VoIP <Phone> & Co",
    "web.WebServerType": "0", "web.LogonTimeout": "15", "web.account.1.Name": "admin", "web.account.1.Password": 'Tiger"&<77>',
    "ap.DefaultUsername": "", "ap.FlashServerIP": "", "ap.FlashFileName": "", "ap.FlashProtocol": "4", "ap.FlashMode": "1", "ap.FlashInterval": "1",
}
_PER_LINE = {
    "PhoneNumber": "", "DisplayName": "", "RegisterAddr": "192.0.2.10", "RegisterPort": "5060", "RegisterUser": "", "RegisterPswd": 'pw"&',
    "RegisterTTL": "3600", "EnableReg": "0", "Transport": "0", "NATUDPUpdate": "2", "UDPUpdateTTL": "30", "NATType": "0", "EnableRport": "1",
    "PhonePort": "0", "SignalPort": "5060", "EnableChgPort": "0",
}


class FakeFanvil(FakePhone):
    """See the module. Counters: those of every FakePhone, and sessions_taken, upload_reboots."""

    server_header = "RapidLogic/1.1"
    MAC = "443B32123456"

    def __init__(self, kind: str = "v5501", *, session_seconds: float = 60.0, digest_seconds: float = 0.1, **more: Any) -> None:
        self.kind = kind
        self.MODEL = {"v5501": "V5501", "older": "X3S", "xml": "X6U"}[kind]
        self.FIRMWARE = {"v5501": "2.2.29", "older": "2.3.1", "xml": "2.12.9"}[kind]
        self.session_seconds, self.digest_seconds = session_seconds, digest_seconds
        self.sessions_taken = self.upload_reboots = self.swallowed = 0
        self.basic: list[str] = []              # paths that credentials came with
        self._nonces: collections.deque[str] = collections.deque(maxlen=8)       # handed out, and good for one login each
        self._session = ""
        self._session_used = 0.0
        self._session_requests = 0
        self._deaf_until = self._last_login = 0.0
        self._by_upload = False
        super().__init__(**more)
        self.guard = Guard(self.username, self.password, "VoIP Phone")
        self._booted -= 75 * 3600               # up for long, as phones are

    # ------------------------------------------------------------------ state

    def account_count(self) -> int:
        return 2

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.values.update(_GLOBAL)
        for n in range(1, self.accounts + 1):
            self.values.update({f"sip.line.{n}.{name}": value for name, value in _PER_LINE.items()})
        for n, account in enumerate(accounts, 1):
            user = str(account.get("user", ""))
            self.values.update({f"sip.line.{n}.PhoneNumber": user, f"sip.line.{n}.RegisterUser": user,
                                f"sip.line.{n}.EnableReg": "1" if account.get("active", True) else "0"})
        for key in self.faults.get("missing", ()):
            del self.values[key]

    def port_of(self, account: int) -> int | None:
        """What a port of 0, or none, comes to is not known: a random one here."""
        text = self.values.get("sip.SIPPort", "5060")
        return (int(text) if text.isdigit() else 0) if self.values[f"sip.line.{account}.EnableReg"] == "1" else None

    def nat_of(self, account: int) -> Any:
        return [self.values.get(f"sip.line.{account}.{name}") for name in ("NATType", "NATUDPUpdate", "UDPUpdateTTL", "EnableRport")]

    def expire_sessions(self) -> None:
        if self._session and self._by_upload and self.kind == "older":
            self.logouts += 1                   # ended in order: by the restart that our own upload caused
        self._session, self._by_upload = "", False

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        if request.path == "/xmlService" and b'cmd="set"' in request.body:
            self.log[-1] += ' cmd="set"'
        if FakeWebServer.fault(self, "drop", self.log[-1]):
            raise Drop
        if "authorization" in request.headers:
            self.basic.append(request.path)
        reply = self._answer(request)
        if self.kind != "older" or self.faults.get("extra_bytes"):
            reply.close = True
        return reply

    def _answer(self, request: Request) -> Reply:
        path, method = request.path, request.method
        if self.faults.get("too_busy") == "all" and (method, path) != ("GET", "/"):
            return Reply(503, b"<html>Server Too Busy</html>")
        if path.lower() == "/xmlservice" and method == "POST" and self.kind == "xml":
            return self._service(request)
        if path == "/cgi-bin/ConfigManApp.com" and method == "GET":
            return self._action(request)
        front = ("/", "/right.htm") if self.kind == "older" else ("/",)
        if path in front and method == "POST":
            return self._login(request)
        if path in front:
            return self._front(request)
        if path == "/key==nonce" and self.kind != "older":
            return Reply(200, b"" if self._held() else self._nonce(request).encode())
        if path == "/LogOut.htm" and method == "POST" and self.kind == "older":
            return self._logout(request)
        pages = {"/information.htm": self._information, "/default_user_config.xml": self._export, "/config.txt": self._export_text,
                 "/config.htm": self._config_page}
        if path not in pages:
            return Reply(404, b"<html>Not Found</html>" if method == "GET" else b"<html>No Post Handler</html>")
        upload = path == "/config.htm"
        session_only = upload and (method == "POST" or not self.faults.get("form_by_basic"))
        if not self._in_session(request, upload and method == "POST") and (session_only or not self._basic(request)):
            return self._login_page(request)
        return self._upload(request) if upload and method == "POST" else pages[path](request)

    def _send(self, sock: Any, reply: Reply) -> None:
        """RapidLogic: announces chunks, sends none, and closes. An X5: more bytes than announced."""
        if reply.raw is None and self.kind != "older":
            cookies = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
            reply.raw = (f"HTTP/1.1 {reply.status} OK\r\nServer: RapidLogic/1.1\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n"
                         f"{cookies}\r\n").encode() + reply.body
        super()._send(sock, reply)
        if self.faults.get("extra_bytes") and self.kind == "older":
            with contextlib.suppress(OSError):
                sock.sendall(b"\r\n\x00extra")

    # ------------------------------------------------------------------ sessions

    def _held(self) -> bool:
        if self.faults.get("foreign_session"):
            return True
        if self._session and time.monotonic() - self._session_used > self.session_seconds:
            self._session = ""
        return bool(self._session)

    def _nonce(self, request: Request) -> str:
        """The nonce of whoever asks: that of its cookie."""
        cookie = request.cookies.get("auth", "")
        return cookie if cookie in self._nonces else ""

    def _front(self, request: Request) -> Reply:
        if self._session and request.cookies.get("auth") == self._session:
            return Reply(200, _INSIDE)
        nonce = secrets.token_hex(8)
        self._nonces.append(nonce)
        cookie = [("Set-Cookie", f"auth={nonce}; path=/")]
        if self.kind != "older":
            return Reply(200, _LOGIN, headers=cookie)
        return Reply(200, _OLD_LOGIN.format(nonce="" if self._held() else nonce).encode(), headers=cookie)

    def _login_page(self, request: Request) -> Reply:
        if self.faults.get("asks_basic") or ("authorization" in request.headers and not self.faults.get("no_basic") and self.kind != "older"):
            return Reply(401, b"<html>401</html>", headers=[self.guard.challenge()])
        return Reply(200, _LOGIN if self.kind != "older" else _OLD_LOGIN.format(nonce=secrets.token_hex(8)).encode())

    def _login(self, request: Request) -> Reply:
        if self.faults.get("too_busy"):
            return Reply(503, b"<html>Server Too Busy</html>")
        storm = self.faults.get("storm")
        if storm and time.monotonic() - self._last_login < storm:
            threading.Thread(target=self._go_down, args=(storm,), daemon=True).start()
            raise Drop
        self._last_login = time.monotonic()
        form, nonce = request.form, self._nonce(request)
        with contextlib.suppress(ValueError):
            self._nonces.remove(nonce)
        wanted = hashlib.md5(f"{self.username}:{self.password}:{nonce}".encode()).hexdigest()
        right = bool(nonce) and form.get("encoded") == f"{self.username}:{wanted}" and request.cookies.get("auth") == nonce and not self._held()
        if self.kind == "older":
            right = right and form.get("nonce") == nonce and form.get("goto") == "Logon"
        self.login_attempts += not right or self.kind == "older"
        if not right:
            return Reply(200, _LOGIN if self.kind != "older" else _OLD_LOGIN.format(nonce=secrets.token_hex(8)).encode())
        self.logins += self.kind == "older"
        self.sessions_taken += self.kind != "older"
        self._session, self._session_used, self._session_requests = nonce, time.monotonic(), 0
        return Reply(200, _INSIDE)

    def _go_down(self, seconds: float) -> None:
        self.unlisten()
        time.sleep(seconds)
        if not self._stopping.is_set():
            self.listen()

    def _logout(self, request: Request) -> Reply:
        if self._session and request.cookies.get("auth") == self._session and request.form.get("DefaultLogout") == "Logout":
            self._session = ""
            self.logouts += 1
        return Reply(200, b"<html>No Post Handler</html>")

    def _in_session(self, request: Request, writing: bool) -> bool:
        if not self._held() or request.cookies.get("auth") != self._session:
            return False
        self._session_requests += 1
        limit = self.faults.get("session_lost_after")
        if (limit is not None and self._session_requests > limit) or (writing and self.faults.get("write_session_lost")):
            self._session = ""
            return False
        self._session_used = time.monotonic()
        return True

    def _basic(self, request: Request) -> bool:
        if self.kind == "older" or self.faults.get("no_basic"):
            return False
        wrong = self.guard.wrong
        good = self.guard.admits(request)
        self.login_attempts += self.guard.wrong - wrong
        return good

    # ------------------------------------------------------------------ pages

    def _information(self, request: Request) -> Reply:
        mac = ":".join(self.mac[i:i + 2] for i in range(0, 12, 2)).lower()
        hours, rest = divmod(self.up_time, 3600)
        cells = {"MODEL": self.model, "SW": self.firmware, "HW": "1.0",
                 "MAC": mac + '<font id="MacInvalid" style="display:none">(<span id="XSTR_LBL_INVALID">Invalid</span>)</font>',
                 "UP_TIME": f"{hours}:{rest // 60:02}:{rest % 60:02}"}
        rows = "\n".join(f'<tr><td class="l"><span id="XSTR_LBL_INFO_{name}">{name}</span>:</td>\n  <td>{text}</td></tr>' for name, text in cells.items())
        return Reply(200, f"<html><body><table>{rows}</table></body></html>".encode())

    def _export(self, request: Request) -> Reply:
        if self.faults.get("text_only"):
            return Reply(404, b"<html>Not Found</html>")
        root = ElementTree.Element("VOIP_CONFIG_FILE" if self.faults.get("old_schema") else "sysConf")
        ElementTree.SubElement(root, "Version").text = "2.0000000000"
        for key, value in self.values.items():
            node, parts = root, key.split(".")
            while parts:
                name, index = parts.pop(0), parts.pop(0) if parts and parts[0].isdigit() else ""
                found = next((one for one in node if one.tag == name and parts and one.get("index", "") == index), None)
                node = found if found is not None else ElementTree.SubElement(node, name, {"index": index} if index else {})
            node.text = value
        text = ElementTree.tostring(root, encoding="unicode").replace("'", "&apos;")
        text = re.sub(r">([^<]*)<", lambda found: ">" + found.group(1).replace('"', "&quot;") + "<", text)
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n' + text).encode()
        return Reply(200, body[:len(body) // 2] if self.faults.get("broken_config") else body, "text/xml")

    def _export_text(self, request: Request) -> Reply:
        return Reply(200, f"<<VOIP CONFIG FILE>>Version:2.0002\r\n\r\n<SIP CONFIG MODULE>\r\nSIP  Port          :{self.values['sip.SIPPort']}\r\n".encode())

    def _config_page(self, request: Request) -> Reply:
        field = "System" if self.kind == "older" else "CONFIG"
        form = '<form method="post" enctype="multipart/form-data" action="/config.htm"><input type="file" name="{}"><input type="submit" value="Import"></form>'
        names = [] if self.faults.get("no_file_input") else ["UPDATE", field] if self.faults.get("two_file_inputs") else [field]
        return Reply(200, f"<html><body>{''.join(form.format(name) for name in names)}</body></html>".encode())

    # ------------------------------------------------------------------ writing

    def _deaf(self) -> bool:
        """Digesting the last upload: commands are swallowed without a word."""
        deaf = time.monotonic() < self._deaf_until
        self.swallowed += deaf
        return deaf

    def _upload(self, request: Request) -> Reply:
        if self._deaf():
            return Reply(200, b"<html>Submit Success</html>")
        part = _file_part(request, "System" if self.kind == "older" else "CONFIG")
        try:
            root = ElementTree.fromstring(part)
        except ElementTree.ParseError:
            root = ElementTree.Element("none")
        if root.tag != "sysConf":
            return Reply(200, b"<html>Submit Fail</html>")
        self._deaf_until = time.monotonic() + self.digest_seconds
        reboots = bool(self.faults.get("upload_reboots"))
        try:
            self.store(_leaves(root))
        finally:
            if reboots:
                self.upload_reboots += 1
                self._by_upload = True
                threading.Thread(target=self._restart, daemon=True).start()
        return Reply(200, b"<html>Phone in rebooting</html>" if reboots else b"<html>Submit Success</html>", close=reboots)

    def _service(self, request: Request) -> Reply:
        wrong = self.guard.wrong
        if not self.guard.admits(request):
            self.login_attempts += self.guard.wrong - wrong
            return Reply(401, b"<html>401</html>", headers=[self.guard.challenge()])
        try:
            root = ElementTree.fromstring(request.body)
        except ElementTree.ParseError:
            root = ElementTree.Element("none")
        items = [(one.text or "").strip() for one in root.iter("Item")]
        if root.tag != "FanvilConfiguration" or root.get("cmd") not in ("get", "set") or not items:
            return _service_reply(root.get("cmd", ""), 3)           # codes of errors are not in the sheet: these are the fake's own
        if root.get("cmd") == "get":
            known = [key for key in items if key in self.values]
            if len(known) < len(items) and (self.faults.get("strict_get") or not known):
                return _service_reply("get", 2)
            return _service_reply("get", 0, [f"{key}={self.values[key]}" for key in known])
        if self.faults.get("ret_code"):
            return _service_reply("set", self.faults["ret_code"])
        changes = {key.strip(): value.strip() for key, dummy, value in (item.partition("=") for item in items)}
        if not self._deaf():
            self._deaf_until = time.monotonic() + self.digest_seconds
            self.store(changes)
        return _service_reply("set", 0)

    def _action(self, request: Request) -> Reply:
        if not self.guard.admits(request):
            return Reply(401, b"<html>401</html>", headers=[self.guard.challenge()])
        if self.faults.get("reboot_forbidden"):
            return Reply(403, b"<html>Forbidden</html>")
        if request.query.get("key") != "Reboot" or self._deaf():
            return Reply(200, b"<html>OK</html>")
        return self.restart(Reply(200, b"<html>OK</html>"))


def _file_part(request: Request, field: str) -> bytes:
    """The content of one file of a multipart/form-data request; b"" where it is not there."""
    message = email.message_from_bytes(b"Content-Type: " + request.headers.get("content-type", "").encode() + b"\r\n\r\n" + request.body)
    for part in message.get_payload() if message.is_multipart() else []:
        if part.get_param("name", header="content-disposition") == field and part.get_filename():
            return part.get_payload(decode=True)
    return b""


def _leaves(root: ElementTree.Element, prefix: str = "") -> dict[str, str]:
    """<sysConf> -> dotted path -> text."""
    found: dict[str, str] = {}
    for node in root:
        name = prefix + node.tag + (f".{node.get('index')}" if node.get("index") else "")
        found.update(_leaves(node, name + ".") if len(node) else {name: node.text or ""})
    return found


def _service_reply(command: str, code: int, items: list[str] | None = None) -> Reply:
    info = "".join(f"<Item>{escape(item)}</Item>" for item in items or ())
    info = f"<info>{info}</info>" if items else ""
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<FanvilConfiguration cmd="{command}"><RetCode>{code}</RetCode>{info}</FanvilConfiguration>'
    return Reply(200, body.encode(), "text/xml")
