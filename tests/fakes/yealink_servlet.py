# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fake Yealinks of the servlet generations Y4 (both logins) and Y3, and the front pages of Y1 and Y2.

    fake = FakeYealinkY4("B", password="secret"); fake.start(); fake.values["sip.listen_port"]; fake.stop()

Faults, besides those of yealink_state.py::

    front_script          the front page goes on by script instead of a redirect
    limit                 what the page says a configuration file may have, and what its maxlength has to be ("5MB")
    no_page               list of pages that this firmware does not have (account-adv)
    no_label              the local port has another label than anybody knows
    two_labels            two fields have the label of the local port
    password_on_page      the advanced account page holds a (masked) password too
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from typing import Any

from tests.fakes.web import Reply, Request
from tests.fakes.yealink_state import MASK, FakeYealink, aes_open, modulus, multipart, rsa_open

_LOGIN = "/servlet?m=mod_listener&p=login&q=loginForm&jumpto=status"


class FakeYealinkY4(FakeYealink):
    """``variant``: "A" (AES under an RSA key) or "B" (RSA)."""

    generation = "Y4"
    FIRMWARE = ""

    def __init__(self, variant: str = "A", **more: Any) -> None:
        self.variant = variant
        self.MODEL, self.FIRMWARE = {"A": ("T46S", "66.84.0.125"), "B": ("T31G", "124.86.104.1")}[variant]
        self.token = secrets.token_hex(8)
        self._fresh: set[str] = set()               # ids handed out with a login page, not logged in
        super().__init__(**more)

    def handle(self, request: Request) -> Reply:
        if request.path == "/":
            if self.faults.get("front_script"):
                return self.page(f'<script>\n window.location ="{_LOGIN}";\n</script>', "")
            return Reply(302, headers=[("Location", _LOGIN)])
        if request.path != "/servlet":
            return Reply(404, b"<html>404</html>")
        self.by_query(request)
        query = request.query
        if query.get("m") == "mod_listener":
            handler = {("GET", "loginForm"): self._form, ("POST", "login"): self._login, ("GET", "logout"): self._logout}.get(
                (request.method, query.get("q", "")))
            return handler(request) if handler else Reply(404)
        if self.faults.get("write_session_lost") and query.get("m") == "mod_res":
            self.expire_sessions()
        if not self.session_of(request):
            return Reply(302, headers=[("Location", _LOGIN)])
        handler = {"mod_data": self._data, "mod_configfile": self._export, "mod_res": self._upload, "mod_upgrade": self._reboot}.get(query.get("m", ""))
        return handler(request) if handler else Reply(404)

    def _variables(self) -> str:
        return (f'<script>var g_rsa_n="{modulus()}"; var g_rsa_e="010001"; var g_strFirmware = "{self.firmware}"; '
                f'var g_phonetype = "{self.model}"; var g_strModel = "{self.model}";</script>')

    def _form(self, request: Request) -> Reply:
        sid = secrets.token_hex(16)
        self._fresh.add(sid)
        body = self._variables() + '<input id="idUsername" name="username"><input id="idPassword" type="password" name="pwd"><a id="idConfirm">Log in</a>'
        if self.is_locked():
            body = f"You are not authorized to access this page, please try again {self.minutes_left()} minutes later!"
        return self.page(body, f"Yealink {self.model} Phone", headers=[("Set-Cookie", f"JSESSIONID={sid}; path=/")])

    def _login(self, request: Request) -> Reply:
        form, sid = request.form, request.cookies.get("JSESSIONID", "")
        if self.variant == "A":
            sealed = base64.b64decode(form.get("pwd", ""), validate=False) if form.get("rsakey") else b""
            parts = aes_open(sealed, rsa_open(form.get("rsakey", "")), rsa_open(form.get("rsaiv", ""))).split(";", 2)
            password = parts[2] if len(parts) == 3 and parts[1] == sid else None
        else:
            password = rsa_open(form.get("pwd", "")) if "rsakey" not in form else None
        verdict = self.attempt(form.get("username"), password) if sid in self._fresh else "none"
        headers = []
        if verdict == "done":
            self._fresh.discard(sid)
            fresh = self.open_session(sid if self.variant == "A" else "")
            headers = [("Set-Cookie", f"JSESSIONID={fresh}; path=/")]
        return self.page(f'<div id="_RES_INFO_">{{"authstatus":"{verdict}"}}</div>', "", headers=headers)

    def _logout(self, request: Request) -> Reply:
        self.close_session(request)
        return Reply(302, headers=[("Location", _LOGIN)])

    def _data(self, request: Request) -> Reply:
        page = request.query.get("p", "")
        logout = '<a href="/servlet?m=mod_listener&p=login&q=logout">Logout</a>'
        top = f'{self._variables()}<script>var g_strToken = "{self.token}";</script>{logout}'
        if page == "status":
            return self.page(top + f'<table><tr><td>MAC Address</td><td id="tdMACAddress">{self.colons()}</td></tr></table>')
        if page == "settings-config":
            return self.page(top + f'<script>var filedesp = {{"localcfg": "{self._limit()}"}};</script>'
                             '<form method="post" enctype="multipart/form-data"><input type="file" name="UploadName"></form>')
        return Reply(404)

    def _limit(self) -> str:
        return str(self.faults.get("limit", "5MB"))

    def _export(self, request: Request) -> Reply:
        if request.method != "POST" or request.query.get("q") != "exportcfgconfig":
            return Reply(404)
        return Reply(body=self.exported(), content_type="application/octet-stream")

    def _upload(self, request: Request) -> Reply:
        if request.query.get("token") != self.token:
            return Reply(403, b"<html>User Identity Forbidden</html>")
        content = multipart(request).get("UploadName", b"")
        result: Any = 5
        if rsa_open(request.query.get("maxlength", "")) != self._limit():
            result = "noparam"
        elif len(content) > 5 * 1024 * 1024:
            result = "large"
        else:
            changes = self.imported(content)
            if changes is None:
                result = "failed"
            elif not changes:
                result = "noparam"
            else:
                self.store(changes)
        shown = result if isinstance(result, int) else f'"{result}"'
        return self.page(f'<div id="_RES_INFO_">{{"type":"localcfg","result":{shown}}}</div>', "")

    def _reboot(self, request: Request) -> Reply:
        if request.form.get("token") != self.token:
            return Reply(403, b"<html>User Identity Forbidden</html>")
        return self.restart(self.page('<div id="_RES_INFO_">{"type":"reboot","result":1}</div>', ""))


# Field name -> (label on the page, cfg key after "account.N."). The names of the advanced page are the fake's own: nobody knows the real ones.
_REGISTER = {
    "AccountEnable": ("Line Active", "enable"), "AccountLabel": ("Label", "label"), "AccountDisplayName": ("Display Name", "display_name"),
    "AccountRegisterName": ("Register Name", "auth_name"), "AccountUserName": ("User Name", "user_name"), "AccountPassword": ("Password", "password"),
    "server1": ("Server Host", "sip_server.1.address"), "port1": ("Port", "sip_server.1.port"), "AccountStunSwitch": ("NAT", "nat.nat_traversal"),
}
_ADVANCED = {
    "AccountKeepAliveMode": ("Keep Alive Type", "nat.udp_update_enable"), "AccountKeepAliveTime": ("Keep Alive Interval(Seconds)", "nat.udp_update_time"),
    "AccountViaPort": ("RPort", "nat.rport"), "AccountDtmf": ("DTMF Type", "dtmf.type"), "AccountSessionTimer": ("Session Timer", "session_timer.enable"),
    "AccountServerPort": ("SIP Server Port", "sip_server.1.port"), "AccountOwnPort": ("Local SIP Port", "sip_listen_port"),
}
_SELECTS = {"AccountKeepAliveMode": ("0", "1", "2", "3"), "AccountViaPort": ("0", "1", "2"), "AccountDtmf": ("0", "1", "2")}


class FakeYealinkY3(FakeYealink):
    generation = "Y3"
    MODEL, FIRMWARE = "T46G", "28.80.0.95"
    static = ""

    def __init__(self, **more: Any) -> None:
        self.token = str(secrets.randbelow(9 * 10**8) + 10**8)
        self._fresh: set[str] = set()
        super().__init__(**{"scope": "line", **more})

    def handle(self, request: Request) -> Reply:
        if request.path == "/":
            return self.page('<script>\n window.location ="/servlet?p=login&q=loginForm&jumpto=status";\n</script>', "")
        if request.path != "/servlet":
            return Reply(404, b"<html>404</html>")
        self.by_query(request)
        page, action = request.query.get("p", ""), request.query.get("q", "")
        if page == "login":
            handler = {("GET", "loginForm"): self._form, ("GET", "getsessionid"): self._key, ("POST", "login"): self._login,
                       ("GET", "logout"): self._logout}.get((request.method, action))
            return handler(request) if handler else Reply(404)
        if self.faults.get("write_session_lost") and action == "write":
            self.expire_sessions()
        if not self.session_of(request):
            return Reply(302, headers=[("Location", "/servlet?p=login&q=loginForm&jumpto=status")])
        if action == "load" and request.method == "GET":
            return self._load(request, page)
        if action == "write" and request.method == "POST" and page in ("account-register", "account-adv"):
            return self._write(request, page)
        if action == "localconfig" and request.method == "POST" and request.query.get("type") == "export":
            given = multipart(request).get("token", b"").decode()
            return Reply(body=self.exported(), content_type="application/octet-stream") if given == self.token else self._forbidden()
        if page == "settings-upgrade" and action == "reboot":
            return self.restart(self.page("1")) if request.query.get("token") == self.token else self._forbidden()
        return Reply(404, b"<html>404</html>")

    @staticmethod
    def _forbidden() -> Reply:
        return Reply(403, b"<html><title>403</title>User Identity Forbidden</html>")

    def _form(self, request: Request) -> Reply:
        body = (f'<script src="/js/rsa.js?{self.firmware}"></script><script>document.write(T("Gigabit Color IP Phone SIP-{self.model}"));</script>'
                '<form name="formInput"><input name="username"><input type="password" name="pwd"></form>')
        if self.is_locked():
            body += f"You are not authorized to access this page, try again {self.minutes_left()} minutes later!"
        return self.page(body, "Gigabit Color IP Phone")

    def _key(self, request: Request) -> Reply:
        sid = secrets.token_hex(16)
        self._fresh.add(sid)
        return Reply(body=f"{modulus()},10001,{sid}".encode(), content_type="text/plain")

    def _login(self, request: Request) -> Reply:
        form, sid = request.form, request.cookies.get("JSESSIONID", "")
        if sid not in self._fresh:
            return Reply(404, b"<html>404</html>")
        plain = aes_open(base64.b64decode(form.get("data", "")), rsa_open(form.get("key", "")), rsa_open(form.get("iv", "")))
        digest, dummy, rest = plain.partition(";")
        whole = digest == "MD5=" + hashlib.md5(rest.encode()).hexdigest() and f"sessionid={sid};" in rest and rest.endswith(";")
        name, marker, password = rest.partition("username=")[2].partition(";pwd=")
        verdict = self.attempt(name, password[:-1]) if whole and marker else "none"
        if verdict != "done":
            return self._form(request)
        self._fresh.discard(sid)
        self.open_session(sid)
        return Reply(302, headers=[("Location", "/servlet?p=status&q=load")])

    def _logout(self, request: Request) -> Reply:
        self.close_session(request)
        return Reply(302, headers=[("Location", "/servlet?p=login&q=loginForm")])

    # ------------------------------------------------------------------ pages

    def _load(self, request: Request, page: str) -> Reply:
        top = f'<script>var g_strToken = "{self.token}";</script>'
        if page in self.faults.get("no_page", ()):
            return Reply(404, b"<html>404</html>")
        if page == "status":
            return self.page(top + f"<table><tr><td>MAC Address</td><td>{self.colons()}</td></tr></table>")
        if page in ("account-register", "account-adv"):
            return self.page(top + self._form_of(page, int(request.query.get("acc", "0")) + 1))
        if page in ("settings-config", "settings-upgrade", "account-basic"):
            return self.page(top + '<form name="formInput" method="post"><input name="other" value="1"></form>')
        return Reply(404, b"<html>404</html>")

    def _fields(self, page: str) -> dict[str, tuple[str, str]]:
        if page == "account-register":
            return _REGISTER
        fields = dict(_ADVANCED)
        if self.faults.get("no_label"):
            fields["AccountOwnPort"] = ("Puerto", "sip_listen_port")
        if self.faults.get("two_labels"):
            fields["AccountServerPort"] = ("Local SIP Port", "sip_server.1.port")
        if self.faults.get("password_on_page"):
            fields["AccountPassword"] = ("Password", "password")
        return fields

    def _form_of(self, page: str, account: int) -> str:
        rows = []
        for name, (label, key) in self._fields(page).items():
            value = self.values[f"account.{account}.{key}"]
            if name in _SELECTS:
                options = "".join(f'<option value="{one}"{" selected" if one == value else ""}>{one}</option>' for one in _SELECTS[name])
                control = f'<select name="{name}">{options}</select>'
            else:
                secret = name == "AccountPassword"
                control = f'<input type="{"password" if secret else "text"}" name="{name}" value="{html.escape(MASK if secret and value else value)}">'
            rows.append(f'<tr><td><script>document.write(T("{label}"));</script></td><td>{control}</td></tr>')
        return (f'<form name="formInput" method="post" action="/servlet?p={page}&amp;q=write"><table>{"".join(rows)}</table>'
                f'<input type="hidden" name="var_accountID" value="{account - 1}"><input type="button" name="btn" value="Confirm"></form>')

    def _write(self, request: Request, page: str) -> Reply:
        form = request.form
        if form.get("token") != self.token:
            return self._forbidden()
        account = int(request.query.get("acc", "0")) + 1
        # What a form lacks is stored as empty; so is a mask as a password.
        self.store({f"account.{account}.{key}": form.get(name, "") for name, (label, key) in self._fields(page).items() if label})
        return Reply(302, headers=[("Location", f"/servlet?p={page}&q=load&acc={account - 1}")])


class FakeYealinkOld(FakeYealink):
    """Y1 and Y2, as far as they can be told from others: nothing behind the front page."""

    MODEL, FIRMWARE = "T20P", "9.70.0.100"

    def __init__(self, generation: str = "Y1", **more: Any) -> None:
        self.generation = generation
        super().__init__(**more)
        self.server_header = "mini_httpd" if generation == "Y1" else ""

    def handle(self, request: Request) -> Reply:
        if self.generation == "Y1":
            return Reply(401, headers=[("WWW-Authenticate", 'Basic realm="Enterprise IP phone SIP-T20P"')])
        if request.path == "/":
            return self.page('<script>window.location="/servlet?p=login&q=loginForm&jumpto=status";</script>', "")
        if request.path == "/servlet" and request.query.get("q") == "loginForm":
            return self.page('<script>document.write(T("Enterprise IP phone SIP-T20P"));</script><input name="username"><input name="pwd">')
        return Reply(404)
