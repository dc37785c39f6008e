# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake phone of no known maker, with an ordinary web page. Everything about its pages is invented: it is no evidence of any real phone.

    fake = FakeFormPhone("konto", password="secret"); fake.start(); fake.values["1.port"]; fake.asked; fake.dangers

Layouts::

    konto       a login form and a session cookie; German; ISO-8859-1; a page per account, each with its own local port and random switch
    network     HTTP authentication (``scheme``), frames, a menu that a script writes; one local SIP port for all accounts, on "SIP Networking"
    table       HTTP authentication; one page, a column per account

What a form does not send is stored empty, as phones do that replay the whole form. Each page of settings holds a token that only its own
POST may use, once. ``dangers`` counts requests that did harm: restart, reset, firmware and so on, by a GET.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    traps           more links: restart and reset by GET, an endless chain of pages, other hosts, a page of 5 MB, a click that calls a number
    ambiguous       a second field with the same label on another page ("network": "Local SIP Port" under VoIP too)
    secret          a password input in the form of the port: "masked", "clear", "empty", "hint" (empty, says that one is set)
    secret_type     its type instead of password ("text")
    file            a file input in that form
    scripted        a script of that page fills in values
    lock_after      N wrong passwords lock logins ("konto")
    hashed          the login form hashes the password by script: "handler", "library" or "no action" ("konto")
    redirect_login  a wrong password is answered by a redirect to the login page, as is a request without a session ("konto")
    no_logout       no link to log out by
    get_form        the form of the port is submitted by GET
    label           another label of the local port
    port_name       another name of its input
    readonly        the input of the port can't be changed
    refuse_save     saving is answered by this status
"""

from __future__ import annotations

import re
import secrets
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Reply, Request

_DANGER = re.compile(r"reboot|neustart|reset|upgrade|firmware|werks|factory|format|delete|dial|loeschen|default|press", re.IGNORECASE)
_ACCOUNT = {"active": "1", "user": "", "display": "Küche & Flur <1>", "server": "192.0.2.10", "server_port": "5060", "proxy": "", "proxy_port": "5060",
            "port": "5060", "random": "0", "transport": "udp", "codecs": "PCMA,G722", "rtp_port": "12000", "note": "Tür\r\nlinks", "expires": "3600",
            "secret": "s3cr&t+ü"}
_PHONE = {"name": "phone", "ntp": "192.0.2.1", "port": "5060", "random": "0", "rtp_start": "11000", "keepalive": "30", "qos": "46", "upnp": "0",
          "provisioning": "",
          "secret": "adm-1", "greeting": "Grüße"}
_LAYOUTS = {
    "konto": ("Acme Büro 20", "iso-8859-1"),
    "network": ("Desk IP-7", "utf-8"),
    "table": ("TwoLine 2000", "utf-8"),
}


class FakeFormPhone(FakePhone):
    """See the module. ``asked``: "METHOD /path?query" of every request. Counters besides FakePhone's: dangers."""

    MODEL = "?"
    FIRMWARE = "1.2.3"
    MAC = "02000012ab01"

    def __init__(self, layout: str = "konto", *, scheme: str = "Basic", **more: Any) -> None:
        self.layout = layout
        self.MODEL, self.charset = _LAYOUTS[layout]
        self.asked: list[str] = []
        self.dangers = 0
        self.posted: list[list[tuple[str, str]]] = []       # the pairs of each save, in their order
        self._tokens: dict[str, str] = {}
        self._sessions: dict[str, int] = {}
        self._failures = 0
        self._own = ""                                      # how the asker names us
        super().__init__(**more)
        self.guard = Guard(self.username, self.password, "phone", scheme)

    # ------------------------------------------------------------------ state

    @property
    def one_port(self) -> bool:
        return self.layout == "network"

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.values = {f"phone.{name}": value for name, value in _PHONE.items() if self.one_port or name not in ("port", "random")}
        for n in range(1, self.accounts + 1):
            given = accounts[n - 1] if n <= len(accounts) else {}
            for name, value in _ACCOUNT.items():
                if not self.one_port or name not in ("port", "random"):
                    self.values[f"{n}.{name}"] = value
            if self.layout == "table":
                self.values[f"{n}.random"] = ""             # a box: nothing is sent for "off"
            self.values[f"{n}.user"] = str(given.get("user", ""))
            self.values[f"{n}.active"] = "1" if given.get("active", bool(given)) else ""
            if given.get("port") is not None and not self.one_port:
                self.values[f"{n}.port"] = str(given["port"])

    def port_of(self, account: int) -> int | None:
        if not self.values[f"{account}.active"]:
            return None
        where = "phone" if self.one_port else str(account)
        return 0 if self.values[f"{where}.random"] == "1" else int(self.values[f"{where}.port"] or 0)

    def valid(self, key: str, value: str) -> bool:
        return not key.endswith(".port") or value == "" or (value.isdigit() and 1 <= int(value) <= 65535)

    def expire_sessions(self) -> None:
        self._sessions.clear()

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        self._own = f"{'https' if self.tls else 'http'}://{request.headers.get('host', '')}"
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        self.asked.append(f"{request.method} {request.path}" + (f"?{query}" if query else ""))
        if request.method == "GET" and _DANGER.search(request.path + "?" + query):
            self.dangers += 1
            if "speichern" not in request.path and "save" not in request.path:
                return self.page("Done", "<p>Restarting ...</p>")
        if request.path == "/restart.do" and request.method == "POST" and self.allowed(request):
            return self.restart(self.page("Restart", "<p>See you.</p>"))
        return getattr(self, f"_{self.layout}")(request)

    def allowed(self, request: Request) -> bool:
        if self.layout != "konto":
            return self.guard.admits(request)
        sid = request.cookies.get("SID", "")
        if sid not in self._sessions:
            return False
        self._sessions[sid] += 1
        limit = self.faults.get("session_lost_after")
        if limit is not None and self._sessions[sid] > limit:
            del self._sessions[sid]
            return False
        return True

    def page(self, heading: str, body: str, *, title: str = "", head: str = "", status: int = 200) -> Reply:
        text = (f'<html><head><meta http-equiv="Content-Type" content="text/html; charset={self.charset}"><title>{escape(title or self.model)}'
                f'</title>{head}</head>'
                f"<body><!-- <input name=ghost value=1> --><h1>{heading}</h1>{body}</body></html>")
        return Reply(status, text.encode(self.charset, "xmlcharrefreplace"))

    def _unauthorized(self, request: Request) -> Reply:
        if request.headers.get("authorization"):
            self.login_attempts += 1
        return Reply(401, f"<html><title>{escape(self.model)}</title>401</html>".encode(), headers=[self.guard.challenge()])

    def _traps(self) -> str:
        if not self.faults.get("traps"):
            return ""
        return ('<a href="/reboot.htm">Reboot</a> <a href="/reset.cgi">Defaults</a> <a href="/sys.htm?x=7"><img alt="Neu starten" src="/i.gif"></a>'
                '<a href="/cgi-bin/ConfigManApp.com?key=Press">Help</a> <a href="/tools.htm?action=factory">Tools</a> <a href="/upgrade.htm">Software</a>'
                '<a href="/x1.htm" onclick="return confirm(\'Sure?\')">Continue</a> <a href="/delete.htm?id=3">3</a> <a href="/dial.htm?number=0900">Call</a>'
                '<a href="http://192.0.2.99/account.htm">Support</a> <a href="//192.0.2.98/sip.htm">SIP help</a> <a href="ftp://127.0.0.1/x">x</a>'
                '<a href="/fw.bin">Account</a> <a href="/endless.htm?page=1">SIP log</a> <a href="/big.htm">SIP phone book</a> <a href="mailto:a@b">Mail</a>'
                "<script>function doReboot(){ location.href='/x2.htm'; } function clean(){ if(confirm('x')) location.href='/x3.htm'; }"
                "var api = '/x4.cgi'; $.get('/x5.htm');</script>"
                '<button onclick="location.href=\'/x6.htm\'">Reset</button> <input type="button" value="Reboot now" onclick="doReboot()">'
                '<form action="/reset.htm" method="get"><input type="submit" value="SIP account"></form>')

    def _trapped(self, request: Request) -> Reply | None:
        if re.fullmatch(r"/(?:x[1-6]\.(?:htm|cgi)|sys\.htm|tools\.htm)", request.path):
            self.dangers += 1
            return self.page("Done", "")
        if request.path == "/endless.htm":
            n = int(request.query.get("page", "1"))
            links = "".join(f'<a href="/endless.htm?page={n * 40 + more}">SIP account log {n * 40 + more}</a> ' for more in range(40))
            return self.page("Log", links + "<p>MAC</p>")
        if request.path == "/big.htm":
            return Reply(200, b"<html><body>" + b"x" * (5 * 1024 * 1024) + b"</body></html>")
        return None

    def _mac_shown(self) -> str:
        return "-".join(self.mac[i:i + 2] for i in range(0, 12, 2)).upper()

    # ------------------------------------------------------------------ a form and what it stores

    def _token(self, form: str) -> str:
        self._tokens[form] = secrets.token_hex(4)
        return f'<input type="hidden" name="token" value="{self._tokens[form]}">'

    def _pairs(self, request: Request) -> list[tuple[str, str]]:
        if request.method == "GET":
            return list(request.query.items())
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            return self._multipart(request)
        return parse_qsl(request.body.decode("ascii"), keep_blank_values=True, encoding=self.charset, errors="strict")

    def _multipart(self, request: Request) -> list[tuple[str, str]]:
        boundary = request.headers["content-type"].partition("boundary=")[2].strip('"').encode()
        pairs = []
        for part in request.body.split(b"--" + boundary)[1:-1]:
            head, dummy, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
            name = re.search(rb'name="([^"]*)"', head).group(1).decode(self.charset)
            pairs.append((name, content.removesuffix(b"\r\n").decode(self.charset)))
        return pairs

    def _save(self, request: Request, form: str, fields: dict[str, str], button: str) -> Reply:
        """*fields*: name in the form -> key of ``values``. A field that is not sent is stored empty; several of one name are joined."""
        if self.faults.get("write_session_lost") or not self.allowed(request):
            self.expire_sessions()
            return self._stranger(request)
        pairs = self._pairs(request)
        self.posted.append(pairs)
        sent: dict[str, list[str]] = {}
        for name, value in pairs:
            sent.setdefault(name, []).append(value)
        if sent.get("token") != [self._tokens.pop(form, None)]:
            return self.page("Error", "<p>Token expired</p>", status=403)
        if button not in sent:
            return self.page("Error", "<p>Nothing to do</p>")
        if self.faults.get("refuse_save"):
            return self.page("Error", "<p>No</p>", status=int(self.faults["refuse_save"]))
        unknown = set(sent) - set(fields) - {"token", button, "nr"}
        if unknown:
            return self.page("Error", f"<p>Bad request {escape(str(sorted(unknown)))}</p>", status=500)
        changes = {key: ",".join(sent.get(name, [""])) for name, key in fields.items()}
        if "secret" in fields and set(changes.get(fields["secret"], "")) <= {"*"}:
            changes.pop(fields["secret"], None)             # this firmware knows its own mask; others don't
        self.store(changes)
        return self.page("OK", "<p>Saved. <a href='/'>Home</a></p>")

    def _stranger(self, request: Request) -> Reply:
        return self._login_page(request) if self.layout == "konto" else self._unauthorized(request)

    def _secret(self, key: str) -> str:
        mode = self.faults.get("secret")
        if not mode:
            return ""
        value = {"masked": "********", "clear": escape(self.values[key], quote=True)}.get(mode, "")
        hint = ' placeholder="configured"' if mode == "hint" else ""
        return f'<tr><td>Kennwort</td><td><input type="{self.faults.get("secret_type", "password")}" name="secret" value="{value}"{hint}></td></tr>'

    def _extras(self) -> str:
        script = "<script>function init(){ document.forms[0].transport.value = 'tls'; } window.onload = init;</script>" if self.faults.get("scripted") else ""
        return ('<tr><td>Datei</td><td><input type="file" name="upload"></td></tr>' if self.faults.get("file") else "") + script

    def _method(self) -> str:
        return "get" if self.faults.get("get_form") else "post"

    def _port_input(self, name: str, key: str, more: str = "") -> str:
        lock = " readonly" if self.faults.get("readonly") else ""
        return f'<input type="text" name="{name}" value="{self.values[key]}" maxlength="5"{lock}{more}>'

    # ------------------------------------------------------------------ layout konto

    def _konto(self, request: Request) -> Reply:
        if request.path == "/login.cgi":
            return self._login(request)
        if request.path == "/konto_speichern.cgi":
            nr = request.query.get("nr") or dict(self._pairs(request)).get("nr", "")
            if nr not in ("1", "2"):
                return self.page("Fehler", "", status=404)
            return self._save(request, f"konto{nr}", self._konto_fields(nr), "speichern")
        if not self.allowed(request):
            return self._login_page(request)
        n = request.query.get("nr", "1")
        pages = {"/": self._konto_home, "/main.html": self._konto_home, "/status.html": self._konto_status, "/netz.html": self._konto_net}
        if request.path in pages:
            return pages[request.path]()
        if request.path == "/konto.html" and n in ("1", "2"):
            return self._konto_page(n)
        if request.path == "/abmelden.html":
            if self._sessions.pop(request.cookies.get("SID", ""), None) is not None:
                self.logouts += 1
            return self._login_page(request)
        return self._trapped(request) or self.page("Fehler", "<p>Nicht gefunden</p>", status=404)

    def _login_page(self, request: Request, said: str = "") -> Reply:
        if self.faults.get("redirect_login") and request.path != "/":
            return Reply(302, headers=[("Location", "/")])
        hashed = self.faults.get("hashed")
        head = '<script src="/js/md5.js"></script>' if hashed == "library" else ""
        if hashed == "handler":
            head = "<script>function go(f){ f.pw.value = hex_md5(f.pw.value); return true; }</script>"
        action = "" if hashed == "no action" else ' action="/login.cgi"'
        handler = {"handler": ' onsubmit="return go(this)"', "no action": ' onsubmit="return send()"'}.get(str(hashed), "")
        return self.page("Anmeldung", f"<p>{said}</p><form name=l method=post{action}{handler}><input type=hidden name=lang value=de>"
                         "<table><tr><td>Benutzer</td><td><input name=user></td></tr><tr><td>Kennwort</td><td><input type=password name=pw></td></tr></table>"
                         '<input type=submit name=ok value="Anmelden"></form>', head=head)

    def _login(self, request: Request) -> Reply:
        self.login_attempts += 1
        form = dict(self._pairs(request))
        if self.faults.get("locked") or self._failures >= int(self.faults.get("lock_after", 99)):
            return self._login_page(request, "Zugang gesperrt, bitte in 5 Minuten erneut versuchen.")
        if (form.get("user"), form.get("pw"), form.get("lang"), form.get("ok")) != (self.username, self.password, "de", "Anmelden"):
            self._failures += 1
            return self._login_page(request, "Benutzer oder Kennwort falsch")
        self.logins += 1
        self._sessions[sid := secrets.token_hex(16)] = 0
        return Reply(302, headers=[("Location", "/main.html"), ("Set-Cookie", f"SID={sid}; path=/; HttpOnly")])

    def _konto_home(self) -> Reply:
        out = "" if self.faults.get("no_logout") else '<li><a href="/abmelden.html">Abmelden</a></li>'
        return self.page("Startseite", '<ul><li><a href="/status.html">Status</a></li><li><a href="/konto.html?nr=1">Konto 1</a></li>'
                         '<li><a href="konto.html?nr=2#top">Konto 2</a></li><li><a href="/netz.html">Netzwerk</a></li>'
                         f'<li><a href="/neustart.cgi">Neustart</a></li><li><a href="/werk.htm">Werkseinstellungen</a></li>{out}</ul>' + self._traps())

    def _konto_status(self) -> Reply:
        return self.page("Status", f"<table><tr><td>Modell</td><td>{self.model}</td></tr><tr><td>MAC-Adresse</td><td>{self._mac_shown()}</td></tr>"
                         "<tr><td>Gateway MAC</td><td>02:ff:ff:ff:ff:ff</td></tr></table><a href='/main.html'>Start</a>")

    def _konto_net(self) -> Reply:
        again = ('<tr><td>Konto 1: Lokaler SIP-Port</td><td><input name="other" value="5060"></td></tr>'
                 if self.faults.get("ambiguous") else "")
        return self.page("Netzwerk",
                         '<form method=post action="/netz_speichern.cgi"><table><tr><td>Zeitserver</td><td><input name=ntp value="192.0.2.1"></td></tr>'
                         f'<tr><td>RTP-Port</td><td><input name=rtp value="11000"></td></tr>{again}'
                         f'<tr><td>Provisionierungsserver</td><td><input name=prov value="{escape(self.values["phone.provisioning"], quote=True)}"></td></tr>'
                         f'<tr><td>Web-Port</td><td><input name=web value="80">'
                         f'</td></tr>'
                         '</table><input type=submit value="Speichern"></form>')

    def _konto_fields(self, n: str) -> dict[str, str]:
        fields = {"aktiv": "active", "benutzer": "user", "anzeige": "display", "server": "server", "server_port": "server_port", "proxy": "proxy",
                  "proxy_port": "proxy_port", str(self.faults.get("port_name", "lport")): "port", "zufall": "random", "transport": "transport",
                  "codecs": "codecs", "rtp": "rtp_port", "notiz": "note", "ablauf": "expires"}
        if self.faults.get("secret"):
            fields["secret"] = "secret"
        return {name: f"{n}.{key}" for name, key in fields.items()}

    def _konto_page(self, n: str) -> Reply:
        own = {name.partition(".")[2]: escape(value, quote=True) for name, value in self.values.items() if name.startswith(f"{n}.")}
        codecs = "".join(f"<option{' selected' if name in own['codecs'].split(',') else ''}>{name}</option>" for name in ("PCMU", "PCMA", "G722", "G729"))
        choice = "".join(f'<option value="{value}"{" selected" if own["random"] == value else ""}>{word}</option>' for value,
                         word in (("1", "Ja"), ("0", "Nein")))
        transport = "".join(
            f'<input type=radio name=transport value={one}{" checked" if own["transport"] == one else ""}>{one}' for one in ("udp", "tcp", "tls"))
        port = self._port_input(str(self.faults.get("port_name", "lport")), f"{n}.port")
        label = self.faults.get("label", "Lokaler SIP-Port")
        return self.page(f"Konto {n}",
                         f'<form method={self._method()} action="/konto_speichern.cgi"><input type=hidden name=nr value={n}>{self._token(f"konto{n}")}<table>'
                         f'<tr><td>Konto aktiv:</td><td><input type=checkbox name=aktiv value=1{" checked" if own["active"] else ""}></td></tr>'
                         f'<tr><td>Benutzername:</td><td><input name=benutzer value="{own["user"]}"></td></tr>'
                         f'<tr><td>Anzeigename:</td><td><input name=anzeige value="{own["display"]}"></td></tr>{self._secret(f"{n}.secret")}'
                         f'<tr><td>SIP-Server:</td><td><input name=server value="{own["server"]}"></td></tr>'
                         f'<tr><td>SIP-Server-Port:</td><td><input name=server_port value="{own["server_port"]}"></td></tr>'
                         f'<tr><td>Outbound-Proxy:</td><td><input name=proxy></td></tr>'
                         f'<tr><td>Port Outbound-Proxy:</td><td><input name=proxy_port value="{own["proxy_port"]}"></td></tr>'
                         f'<tr><td>{label}:</td><td>{port} (1024-65535)</td></tr>'
                         f'<tr><td>Zuf&auml;lligen Port verwenden:</td><td><select name=zufall>{choice}</select></td></tr>'
                         f'<tr><td>Transport:</td><td>{transport}</td></tr><tr><td>Codecs:</td><td><select name=codecs multiple size=4>{codecs}</select>'
                         f'</td></tr>'
                         f'<tr><td>RTP-Port:</td><td><input name=rtp value="{own["rtp_port"]}"></td></tr>'
                         f'<tr><td>G&uuml;ltigkeit:</td><td><input name=ablauf value="{own["expires"]}"></td></tr>'
                         f'<tr><td>Notiz:</td><td><textarea name=notiz>\n{own["note"]}</textarea></td></tr>{self._extras()}</table>'
                         "<input type=reset value=Abbrechen><input type=submit name=werk value='Werkseinstellungen'>"
                         "<input type=submit name=speichern value='Speichern'><input type=button name=hilfe value=Hilfe></form>")

    # ------------------------------------------------------------------ layout network

    def _network(self, request: Request) -> Reply:
        if not self.allowed(request):
            return self._unauthorized(request)
        n = request.query.get("n", "1")
        pages = {"/menu.htm": self._network_menu, "/home.htm": self._network_home, "/sip.htm": self._network_sip, "/voip.htm": self._network_voip}
        if request.path == "/":
            return Reply(200,
                         (f'<html><head><title>{self.model}</title></head><frameset cols="20%,80%"><frame src="/menu.htm" name="m">'
                          '<frame src="home.htm" name="c"></frameset></html>').encode())
        if request.path in pages:
            return pages[request.path]()
        if request.path == "/line.htm" and n in ("1", "2"):
            return self._network_line(n)
        if request.path == "/save_sip":
            return self._save(request, "sip", self._network_fields(), "Submit")
        return self._trapped(request) or self.page("Error", "", status=404)

    def _network_menu(self) -> Reply:
        return self.page("Menu", "<script>\nvar items = [['Home','home.htm'],['Line 1','line.htm?n=1'],['Line 2','line.htm?n=2'],"
                         "['Restart','restart.htm?reboot=1'],['VoIP','/voip.htm']];\n"
                         "function go(n){ parent.c.location.href = n; }\nfunction networking(){ parent.c.location.href = 'sip.htm'; }\n</script>"
                         '<a href="javascript:networking()">SIP Networking</a>' + self._traps())

    def _network_home(self) -> Reply:
        return self.page("Home", f"<p>Product: {self.model} MAC Address: {':'.join(self.mac[i:i + 2] for i in range(0, 12, 2))} Version {self.firmware}</p>")

    def _network_line(self, n: str) -> Reply:
        ticked = " checked" if self.values[f"{n}.active"] else ""
        return self.page(f"Line {n}",
                         f'<form method=post action="/save_line?n={n}"><div><label for=a>Line active</label>'
                         f'<input id=a type=checkbox name=active{ticked}></div>'
                         f'<div><label for=u>User ID</label><input id=u name=user value="{self.values[f"{n}.user"]}"></div>'
                         f'<div><label for=sp>SIP Server Port</label><input id=sp name=sport value="5060"></div><button>Submit</button></form>')

    def _network_voip(self) -> Reply:
        again = '<dt>Local SIP Port</dt><dd><input name="lsp2" value="5060"></dd>' if self.faults.get("ambiguous") else ""
        return self.page("VoIP",
                         f'<form method=post action="/save_voip"><dl><dt>RTP Port</dt><dd><input name=rtp value=11000></dd>{again}</dl><button>Submit'
                         f'</button></form>')

    def _network_fields(self) -> dict[str, str]:
        names = {str(self.faults.get("port_name", "SIPLocalPort")): "port", "rand": "random", "rtp": "rtp_start", "ka": "keepalive", "qos": "qos",
                 "upnp": "upnp",
                 "hello": "greeting", "devname": "name", "ntp": "ntp"}
        if self.faults.get("secret"):
            names["secret"] = "secret"
        return {name: f"phone.{key}" for name, key in names.items()}

    def _network_sip(self) -> Reply:
        own = {name.partition(".")[2]: escape(value, quote=True) for name, value in self.values.items() if name.startswith("phone.")}
        more = "" if not self.faults.get("narrow") else ' min="1024" max="49151"'
        port = self._port_input(str(self.faults.get("port_name", "SIPLocalPort")), "phone.port", more)
        yes, no = (" checked", "") if own["random"] == "1" else ("", " checked")
        enctype = ' enctype="multipart/form-data"' if self.faults.get("multipart") else ""
        return self.page("SIP Networking",
                         f'<form id="f" method={self._method()} action="{self._own}/save_sip"{enctype}>{self._token("sip")}<fieldset disabled>'
                         f'<input name=old value=1></fieldset>'
                         f'<div class=row><div class=l>Device name</div><div><input name=devname value="{own["name"]}"></div></div>'
                         f'<div class=row><div class=l>{self.faults.get("label", "Local SIP Port")} *</div><div>{port} <i>1024-65535</i></div></div>'
                         f'<div class=row><div class=l>Use random port</div><div><input type=radio name=rand value=1{yes}> Yes '
                         f'<input type=radio name=rand value=0{no}> No</div></div>'
                         f'<div class=row><div class=l>RTP start port</div><div><input type=number name=rtp value="{own["rtp_start"]}"></div></div>'
                         f'<div class=row><div class=l>Greeting</div><div><input name=hello value="{own["greeting"]}"></div></div>'
                         f'<div class=row><div class=l>UPnP</div><div><select name=upnp><option value=0>off</option>'
                         f'<option value=1{" selected" if own["upnp"] == "1" else ""}>on</option></select></div></div>'
                         f'<table>{self._secret("phone.secret")}{self._extras()}</table><input type=hidden name=ka value="{own["keepalive"]}"></form>'
                         f'<input name=qos form=f value="{own["qos"]}"><input name=ntp form=f value="{own["ntp"]}">'
                         f'<button form=f type=submit name=Submit value=1>Save</button>')

    # ------------------------------------------------------------------ layout table

    def _table(self, request: Request) -> Reply:
        if not self.allowed(request):
            return self._unauthorized(request)
        if request.path == "/":
            return Reply(302, headers=[("Location", f"{self._own}/cgi/main")])
        if request.path == "/cgi/main":
            return self.page("Overview", f'<p>MAC: {self.mac}</p><a href="lines">Lines</a> <a href="../about">About</a>' + self._traps())
        if request.path == "/cgi/lines":
            return self._table_lines()
        if request.path == "/cgi/save":
            return self._save(request, "lines", self._table_fields(), "go")
        return self._trapped(request) or self.page("Error", "", status=404)

    def _table_fields(self) -> dict[str, str]:
        names = ("active", "user", "port", "random", "server", "server_port")
        return {f"{name}[{n - 1}]": f"{n}.{name}" for n in range(1, self.accounts + 1) for name in names}

    def _table_lines(self) -> Reply:
        numbers = range(1, self.accounts + 1)

        def text(label: str, name: str) -> str:
            cells = "".join(f'<td><input name="{name}[{n - 1}]" value="{escape(self.values[f"{n}.{name}"], quote=True)}"></td>' for n in numbers)
            return f"<tr><td>{label}</td>{cells}</tr>"

        def tick(label: str, name: str) -> str:
            boxes = "".join(f'<td><input type=checkbox name="{name}[{n - 1}]" value=1{" checked" if self.values[f"{n}.{name}"] == "1" else ""}></td>'
                            for n in numbers)
            return f"<tr><td>{label}</td>{boxes}</tr>"

        head = "".join(f"<th>Line {n}</th>" for n in numbers)
        return self.page("Lines", f'<form method="post" action="save">{self._token("lines")}<table border=1><tr><th></th>{head}</tr>'
                         + tick("Line active", "active") + text("User ID", "user") + text("Server", "server") + text("Server port", "server_port")
                         + text("Listen port SIP (local)", "port").replace("Listen port SIP (local)", str(self.faults.get("label", "SIP Port (local)")))
                         + tick("Random port",
                                "random") + '</table><button name="go" value="1">Apply</button> <button name="reset" value="1">Reset all</button></form>')
