# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Snom (3xx, 7xx, D3xx, D7xx, and VTech ET6xx with Snom's firmware), stateful, with the quirks of the protocol sheet.

    fake = FakeSnom(scheme="Digest", password="secret", accounts=[{"user": "101", "port": 5060}])
    fake.start(); fake.values["network_id_port"]; fake.flags["network_id_port"] = "&"; fake.stop()

``scheme``: Basic, Digest, or "" for a phone as it comes from the factory, open to anybody. ``values`` are the phone's settings by name;
``flags`` their permission: "!" the user's, "&" locked by provisioning, "$" overwritten by provisioning.
What the settings restrict_uri_queries and use_hidden_tags say is obeyed. Invented: the markup of the form pages, how many
identities a VTech has and what it calls its firmware.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    wrong_scheme          "307", "403" or "empty": how every request is turned away because it came by the other of http and https
    no_dump               settings.htm is 404: only the form pages show settings
    no_form               the form pages do not have the field of the port
    escaped_flags         the dump writes &amp; for the flag &
    choke                 seconds: a request that comes sooner after the one before gets half a header
    title                 another title of the front page (a phone's name can be changed)
    no_info               info.htm is 404
"""

from __future__ import annotations

import html
import random
import time
from typing import Any

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Drop, FakeWebServer, Reply, Request

_IDENTITIES = {"300": 4, "320": 12, "370": 12, "710": 4, "D305": 4, "D715": 4, "D735": 12, "ET685": 8}
_PHONE = {
    "language": "English", "timezone": "USA-5", "phone_name": "", "ntp_server": "ntp.example.net", "web_language": "English",
    "network_id_port": "", "enable_rport_rfc3581": "off", "sip_tls_listen_port": "", "tcp_listen": "off", "offer_gruu": "on",
    "filter_registrar": "on", "challenge_checksync": "off", "challenge_reboot": "on", "rtp_port_start": "16384", "rtp_port_end": "32768",
    "setting_server": "", "pnp_server": "", "update_policy": "settings_only", "provisioning_order": "redirection pnp dhcp",
    "restrict_uri_queries": "off", "use_hidden_tags": "off", "admin_mode_password": "", "http_scheme": "off", "http_user": "", "http_pass": "",
    "redirect_number": "", "redirect_event": "none", "fkey0": "dest <sip:22@pbx.example.net>", "webserver_type": "http_https",
}
_IDENTITY = {
    "user_active": "on", "user_realname": "", "user_name": "", "user_host": "", "user_pass": "", "user_pname": "", "user_outbound": "",
    "user_idle_text": "", "user_expiry": "3600", "keepalive_interval": "5", "stun_server": "", "stun_binding_interval": "", "user_ice": "on",
}
_SIP_PAGE = ("rtp_port_start", "rtp_port_end", "network_id_port", "enable_rport_rfc3581", "sip_tls_listen_port", "offer_gruu", "filter_registrar")
_UPDATE_PAGE = ("update_policy", "setting_server", "challenge_checksync")
_LOGIN_PAGE = ("user_active", "user_realname", "user_name", "user_pass", "user_host", "user_outbound")
_SECRETS = ("user_pass", "http_pass", "admin_mode_password")


class FakeSnom(FakePhone):
    """See the module. HTTP authentication: nothing counts as a login; ``login_attempts`` counts wrong passwords."""

    MODEL = "D735"
    FIRMWARE = "10.1.54.13"
    MAC = "000413A1B2C3"
    server_header = "snom embedded"

    def __init__(self, scheme: str = "Basic", **more: Any) -> None:
        self.scheme = scheme
        self.flags: dict[str, str] = {}
        self.resets = 0
        self._random = 0
        self._unstored: dict[str, str] = {}     # what was there before a write that was not stored: a restart brings it back
        self._last = 0.0
        super().__init__(**more)
        self.faults.setdefault("slow_reboot", 1.6)
        self.guard = Guard(self.username, self.password, "snom", scheme or "Basic")

    @property
    def maker(self) -> str:
        return "VTech" if self.model.startswith("ET") else "snom"

    # ------------------------------------------------------------------ state

    def account_count(self) -> int:
        return _IDENTITIES[self.model]

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.values.update(_PHONE)
        for n in range(1, self.accounts + 1):
            self.values.update({f"{name}{n}": value for name, value in _IDENTITY.items()})
        for n, account in enumerate(accounts, 1):
            self.values.update({f"user_active{n}": "on" if account.get("active", True) else "off", f"user_name{n}": str(account.get("user", "")),
                                f"user_host{n}": "pbx.example.net", f"user_pass{n}": f"sip-secret-{n}", f"user_realname{n}": "Anna & Bert"})
        self.values["network_id_port"] = str((accounts[0].get("port") if accounts else None) or "")
        if self.scheme:
            self.values.update(http_user=self.username, http_pass=self.password, http_scheme="on" if self.scheme == "Digest" else "off")
        self.flags.update(dict.fromkeys(self.values, "!"))
        self._random = random.randint(32768, 60999)

    def port_of(self, account: int) -> int | None:
        if self.values[f"user_active{account}"] != "on" or not self.values[f"user_name{account}"]:
            return None
        port = self.values["network_id_port"]
        return int(port) if port.isdigit() and int(port) else self._random

    def nat_of(self, account: int) -> str:
        return self.values["enable_rport_rfc3581"] + self.values[f"keepalive_interval{account}"]

    def valid(self, key: str, value: str) -> bool:
        if self.flags[key] == "&":
            return False
        if key == "network_id_port":
            return value == "" or (value.isdigit() and int(value) <= 65535)
        return value in ("on", "off") if key == "enable_rport_rfc3581" else True

    def expire_sessions(self) -> None:
        """Called at a restart: what was not stored is gone, and a new random port is taken."""
        self.values.update(self._unstored)
        self._unstored.clear()
        self._random = random.randint(32768, 60999)

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        now, before = time.monotonic(), self._last
        self._last = now
        if now - before < float(self.faults.get("choke", 0)):
            return Reply(raw=b"HTTP/1.1 200 OK\r\nConte")
        turned_away = self._turned_away(request)
        if turned_away:
            return turned_away
        if self.scheme and not self._admits(request):
            return self._page("Unauthorized", "Unauthorized request", status=401, headers=[self.guard.challenge()])
        if request.query and self.values["restrict_uri_queries"] == "on":
            return self._error("Request not allowed")
        if request.path == "/dummy.htm" and self.values["use_hidden_tags"] == "on" and self.values["admin_mode_password"]:
            return self._error("Request not allowed")
        handler = {
            "/": self._front, "/index.htm": self._front, "/info.htm": self._info, "/settings.htm": self._dump, "/dummy.htm": self._dummy,
            "/advanced_sip.htm": self._sip, "/advanced_network.htm": self._network, "/advanced_update.htm": self._update, "/line_login.htm": self._line_login,
        }.get(request.path)
        return handler(request) if handler else self._page("Not found", "404", status=404)

    def _turned_away(self, request: Request) -> Reply | None:
        how = self.faults.get("wrong_scheme")
        if how == "empty":
            raise Drop
        if how == "307":
            other = "http" if self.tls else "https"
            return Reply(307, headers=[("Location", f"{other}://{self.address}{request.path}")])
        return self._error("Secure connection required") if how == "403" else None

    def _admits(self, request: Request) -> bool:
        good = self.guard.admits(request)
        self.login_attempts = self.guard.wrong
        return good

    def _page(self, title: str, body: str, **more: Any) -> Reply:
        return Reply(body=f"<HTML><HEAD><TITLE>{title}</TITLE></HEAD><BODY>{body}</BODY></HTML>".encode(), **more)

    def _error(self, text: str) -> Reply:
        return self._page("snom VoIP phone: Error", text, status=403)

    def _front(self, request: Request) -> Reply:
        return self._page(self.faults.get("title", f"{self.maker} {self.model}"), "Welcome to your phone")

    def _info(self, request: Request) -> Reply:
        if self.faults.get("no_info"):
            return self._page("Not found", "404", status=404)
        name = f"{self.maker}{self.model}-SIP"
        rows = [("Phone Type", name), ("Mac", self.mac.upper()), ("Firmware-Version", f"{name} {self.firmware}"), ("Uptime", f"0 days {self.up_time} seconds")]
        if self.model.startswith("D"):
            rows.insert(2, ("Hardware", self.model))
        cells = "".join(f'<TR><TD></TD><TD class="normalText">{label}:</TD><td class="normalText">{value}</td></TR>\n' for label, value in rows)
        return self._page("System Information", f"<TABLE>{cells}</TABLE>")

    def _dump(self, request: Request) -> Reply:
        if self.faults.get("no_dump"):
            return self._page("Not found", "404", status=404)
        flags = {name: "&amp;" if flag == "&" and self.faults.get("escaped_flags") else flag for name, flag in self.flags.items()}
        lines = [f"{name}{flags[name]}: {html.escape(value, quote=False)}" for name, value in sorted(self.values.items())]
        return Reply(body=("<html><pre>\n# settings\n" + "\r\n".join(lines) + "\n</pre></html>\n").encode())

    # ------------------------------------------------------------------ writing

    def _dummy(self, request: Request) -> Reply:
        """200 with a page, whatever was asked: a setting that does not exist, a locked one, or nothing at all."""
        if request.query.get("settings") == "save":
            changes = {name: value for name, value in request.query.items() if name not in ("settings", "store_settings")}
            before = {name: self.values[name] for name in changes if name in self.values}
            if request.query.get("store_settings") != "save":
                self._unstored.update({name: value for name, value in before.items() if name not in self._unstored})
            self.store(changes)
        return self._page(f"{self.maker} {self.model}", "dummy")

    # ------------------------------------------------------------------ the form pages

    def _sip(self, request: Request) -> Reply:
        names = [name for name in _SIP_PAGE if name != "network_id_port" or not self.faults.get("no_form")]
        return self._form(request, names)

    def _network(self, request: Request) -> Reply:
        if request.method == "POST" and "CONFIRM_REBOOT" not in request.form:
            self._form(request, ["ntp_server"])
            return self._page("Reboot?", '<form method="POST"><input type="submit" name="CONFIRM_REBOOT" value="Reboot"></form>')
        if request.query.get("reboot") == "Reboot":
            return self._reboot()
        return self._form(request, ["ntp_server"])

    def _update(self, request: Request) -> Reply:
        if request.query.get("reset") == "Reset":
            self.resets += 1
        if request.query.get("reboot") == "Reboot":
            return self._reboot()
        return self._form(request, list(_UPDATE_PAGE))

    def _line_login(self, request: Request) -> Reply:
        """An identity that does not exist: the first one's page."""
        wanted = request.query.get("l", "1")
        n = int(wanted) if wanted.isdigit() and 1 <= int(wanted) <= self.accounts else 1
        return self._form(request, [f"{name}{n}" for name in _LOGIN_PAGE])

    def _form(self, request: Request, names: list[str]) -> Reply:
        if request.method == "POST" and request.form.get("Settings") == "Save":
            self.store({name: value for name, value in request.form.items() if name != "Settings"})
        rows = "".join(f"<tr><td>{name}:</td><td>{self._control(name)}</td></tr>\n" for name in names)
        return self._page("Settings", f'<form name="settings" method="POST" action="{request.path.lstrip("/")}"><table>\n{rows}</table>'
                                      '<input type="submit" name="Settings" value="Save"></form>')

    def _control(self, name: str) -> str:
        value, locked = self.values[name], " disabled" if self.flags[name] == "&" else ""
        if value in ("on", "off"):
            return "".join(f'<input type="radio" name="{name}" value="{word}"{" checked" if value == word else ""}{locked}>{word}' for word in ("on", "off"))
        if name == "update_policy":
            words = ("auto_update", "ask_for_update", "settings_only", "never_update")
            options = "".join(f'<option value="{word}"{" selected" if word == value else ""}>{word}</option>' for word in words)
            return f'<select name="{name}"{locked}>{options}</select>'
        shown = "********" if name.startswith(_SECRETS) and value else html.escape(value)
        return f'<input type="text" size="30" name="{name}" value="{shown}"{locked}>'

    def _reboot(self) -> Reply:
        return self.restart(Reply(302, headers=[("Location", "/index.htm")]))


class FakePhoneManager(FakeWebServer):
    """A Snom D8xx: another web interface, of which nothing is known but its title."""

    def handle(self, request: Request) -> Reply:
        return Reply(body=b"<!doctype html><html><head><title>Phone Manager</title></head><body></body></html>") if request.path == "/" else Reply(404)
