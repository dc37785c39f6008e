# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Poly with UC software: the REST interface of a VVX, an Edge E and a Trio, stateful, with the quirks of the protocol sheet.

    fake = FakePoly("edge", password="secret", accounts=[{"user": "101", "active": True, "port": 5060}])
    fake.start(); fake.values["voIpProt.SIP.local.port"]; fake.network["ProvServerAddress"]; fake.stop()

Kinds: "edge" (Digest, device/info v1), "vvx" (Basic, v1 and v2), "vvx-old" (Basic, v1 alone, the port under its older name),
"trio" (Basic, device/info v2). All accounts signal from one port, that of account 1.

Faults, besides those of web.py and phone.py (they may be changed while it runs)::

    api_off               404 (Edge), 403, 401 (VVX: a login that never fits) or "bare" (401 without a challenge): the REST interface is off
    status                {"config/set": "4003"}: HTTP 200 with this status in the body, and nothing is done
    no_call_state         no call status (404)
    object_params         InvalidParams is an object with numbers as names instead of a list
    line_keys             each registration sits on so many line keys, and is listed once for each
    no_line_info          no list of lines (404)
    no_network_info       no network information (404)
    restart_on_set        every config/set restarts the phone
    nonce_lasts           N: a Digest nonce is good for N requests, then it is stale
    nonce_forgotten       a nonce that is not the present one is a 401 like any other, without stale
    no_server             no Server header
    no_mac                device/info is without a MAC address
    no_uptime             device/info is without an uptime
    booting               requests to the interface that are answered 503 after a restart
"""

from __future__ import annotations

import json
import re
import secrets
import threading
import time
from typing import Any

from tests.fakes.http_auth import Guard
from tests.fakes.phone import FakePhone
from tests.fakes.web import Reply, Request

_KINDS = {                                      # model, firmware, scheme, Server header
    "edge": ("Edge E350", "8.6.0.1321", "Digest", "Poly Edge Telephone HTTPd"),
    "vvx": ("VVX 411", "6.4.3.5610", "Basic", "Polycom SoundPoint IP Telephone HTTPd"),
    "vvx-old": ("VVX 300", "5.4.4.3041", "Basic", "Polycom SoundPoint IP Telephone HTTPd"),
    "trio": ("Trio 8800", "7.2.2.1094", "Basic", "Polycom SoundPoint IP Telephone HTTPd"),
}
_PORT, _OLD_PORT, _SIGNAL, _KEEP_ALIVE = "voIpProt.SIP.local.port", "voIpProt.local.port", "nat.signalPort", "nat.keepalive.interval"
_LIMIT = 20
_FACTORY = {
    _SIGNAL: "", _KEEP_ALIVE: "0", "nat.ip": "", "nat.mediaPortStart": "", "tcpIpApp.port.rtp.mediaPortRangeStart": "2222",
    "tcpIpApp.port.rtp.filterByIp": "1", "tcpIpApp.port.rtp.filterByPort": "0", "tcpIpApp.port.rtp.forceSend": "0",
    "voIpProt.SIP.outboundProxy.address": "", "voIpProt.SIP.outboundProxy.port": "0", "voIpProt.SIP.outboundProxy.transport": "DNSnaptr",
    "voIpProt.SIP.keepalive.sessionTimers": "0", "voIpProt.SIP.specialEvent.checkSync.alwaysReboot": "0",
    "device.syslog.serverName": "192.0.2.5:514", "tcpIpApp.sntp.address": "192.0.2.2", "softkey.1.enable": "0", "device.auth.localAdminPassword": "not-shown",
}


class FakePoly(FakePhone):
    """See the module. ``login_attempts`` counts credentials that did not fit; there are no sessions, so logins and logouts stay 0."""

    MAC = "482567A1B2C3"

    def __init__(self, kind: str = "edge", **more: Any) -> None:
        self.kind = kind
        self.MODEL, self.FIRMWARE, scheme, server = _KINDS[kind]
        self.network = {                        # as captured from an Edge E350; no provisioning server
            "DHCP": "enabled", "DHCPServer": "192.0.2.254", "DHCPBootServerUseOption": "Static", "DHCPBootServerOption": "160",
            "DHCPBootServerOptionType": "String", "IPV4Address": "192.0.2.139", "VLANID": "", "ProvServerAddress": "", "ProvServerType": "HTTPS",
            "UpgradeServer": "", "ProvServerUser": "PlcmSpIp", "ZTPStatus": "enabled"}
        self.given: list[dict[str, Any]] = []
        self.front = b"<html><head><title>Configuration Utility</title></head><body>Enter Login Information</body></html>"
        super().__init__(**{"username": "Polycom", **more})
        self.server_header = "" if self.faults.get("no_server") else server
        self.guard = Guard(self.username, self.password, "API Authentication", scheme)
        self._nonce_used = 0
        self._booting = 0
        self._booted = time.monotonic() - 8760  # "0 Day 2:26:00"
        self._defaults = dict(self.values)

    # ------------------------------------------------------------------ state

    def account_count(self) -> int:
        return 1                                # a phone that nobody has set up shows one line

    def factory(self, accounts: list[dict[str, Any]]) -> None:
        self.given = accounts
        self.port_key = _OLD_PORT if self.kind == "vvx-old" else _PORT
        port = accounts[0].get("port") if accounts else None
        self.values = {**_FACTORY, self.port_key: "" if port is None else str(port)}
        for n, account in enumerate(accounts, 1):
            user = str(account.get("user", ""))
            self.values.update({
                f"reg.{n}.address": f"{user}@pbx.example.test", f"reg.{n}.label": f"Line {n}", f"reg.{n}.auth.userId": user,
                f"reg.{n}.auth.password": f"sip-secret-{n}", f"reg.{n}.server.1.address": "pbx.example.test", f"reg.{n}.server.1.port": "5060"})

    def port_of(self, account: int) -> int | None:
        if account > len(self.given) or not self.given[account - 1].get("active", True):
            return None
        return int(self.values[_SIGNAL] or 0) or int(self.values.get(self.port_key) or 0) or 5060

    def nat_of(self, account: int) -> str:
        return self.values[_KEEP_ALIVE]

    def valid(self, key: str, value: str) -> bool:
        ranges = {self.port_key: (0, 65535), _SIGNAL: (1024, 65535), _KEEP_ALIVE: (0, 3600)}
        if key not in ranges or (not value and key != _KEEP_ALIVE):
            return True
        low, high = ranges[key]
        return bool(re.fullmatch("[0-9]{1,5}", value)) and low <= int(value) <= high

    def expire_sessions(self) -> None:
        """There are none; a restart makes a new nonce."""
        self.guard.nonce = secrets.token_hex(16)
        self._nonce_used = 0
        self._booting = int(self.faults.get("booting", 0))

    # ------------------------------------------------------------------ HTTP

    def handle(self, request: Request) -> Reply:
        if request.path == "/":
            return Reply(200, self.front)
        off = self.faults.get("api_off")
        handler = self._routes().get(f"{request.method} {request.path}")
        if handler is None or off == 404:
            return self._not_found()
        if self._booting:
            self._booting -= 1
            return Reply(503, b"<html>503</html>")
        if off == 403:
            return Reply(403, b"<html><title>403 Forbidden</title></html>")
        if off == "bare":
            return Reply(401, b"<html><title>401 Unauthorized</title></html>")
        refusal = self._refusal(request, bool(off))
        if refusal:
            return refusal
        for piece, code in self.faults.get("status", {}).items():
            if piece in request.path:
                return Reply.json({"Status": code})
        return handler(request)

    @staticmethod
    def _not_found() -> Reply:
        return Reply(404, b'<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\n<html><head><title>404 Not Found</title></head><body>\n'
                          b"The document requested was not found on this server.\n</body></html>", "text/html; charset=utf-8")

    def _routes(self) -> dict[str, Any]:
        v1, v2 = "/api/v1/", "/api/v2/"
        routes = {
            f"POST {v1}mgmt/config/get": self._get, f"POST {v1}mgmt/config/set": self._set,
            f"POST {v1}mgmt/safeRestart": self._restart_request, f"POST {v1}mgmt/safeReboot": self._restart_request,
            f"GET {v1}mgmt/network/stats": self._network_stats,
        }
        if self.kind != "trio":
            routes[f"GET {v1}mgmt/device/info"] = self._info
        if self.kind in ("vvx", "trio"):
            routes[f"GET {v2}mgmt/device/info"] = self._info_v2
        if not self.faults.get("no_line_info"):
            routes[f"GET {v1}mgmt/lineInfo"] = self._lines
            if self.kind in ("vvx", "trio"):
                routes[f"GET {v2}mgmt/lineInfo"] = self._lines_v2
        if not self.faults.get("no_network_info"):
            routes[f"GET {v1}mgmt/network/info"] = self._network_info
        if not self.faults.get("no_call_state"):
            routes[f"GET {v1}webCallControl/callStatus"] = self._call
            if self.kind != "vvx-old":
                routes[f"GET {v2}webCallControl/callStatus"] = self._calls
        return routes

    def _refusal(self, request: Request, never: bool) -> Reply | None:
        """The 401 of a request whose credentials are missing, old or wrong; None: it may pass."""
        nonce = re.search(r'\bnonce="([^"]*)"', request.headers.get("authorization", ""))
        lasts = self.faults.get("nonce_lasts")
        if nonce:
            aged = lasts is not None and self._nonce_used >= lasts
            if aged:
                self.guard.nonce = secrets.token_hex(16)
            if nonce.group(1) != self.guard.nonce and not self.faults.get("nonce_forgotten"):
                self._nonce_used = 0
                return Reply(401, headers=[self.guard.stale()])
            self._nonce_used += 1
        good = self.guard.admits(request)
        self.login_attempts = self.guard.wrong
        if good and not never:
            return None
        return Reply(401, b"<html><title>401 Unauthorized</title></html>", headers=[self.guard.challenge()])

    @staticmethod
    def _ok(data: Any = None, **more: Any) -> Reply:
        return Reply.json({**({} if data is None else {"data": data}), **more, "Status": "2000"})

    @staticmethod
    def _body(request: Request) -> Any:
        try:
            return json.loads(request.body)
        except ValueError:
            return None

    # ------------------------------------------------------------------ settings

    def _get(self, request: Request) -> Reply:
        body = self._body(request)
        names = body.get("data") if isinstance(body, dict) else None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            return Reply.json({"Status": "4000"})
        if len(names) > _LIMIT:
            return Reply.json({"Status": "4009"})
        known = {name: {"Value": self.values[name], "Source": "default" if self.values[name] == self._defaults.get(name) else "config"}
                 for name in names if name in self.values}
        return self._ok(known, **self._unknown([name for name in names if name not in self.values]))

    def _set(self, request: Request) -> Reply:
        body = self._body(request)
        changes = body.get("data") if isinstance(body, dict) else None
        if not isinstance(changes, dict) or not changes or not all(isinstance(value, str) for value in changes.values()):
            return Reply.json({"Status": "4000"})
        if len(changes) > _LIMIT:
            return Reply.json({"Status": "4009"})
        self.store({name: value for name, value in changes.items() if name in self.values})
        reply = self._ok(**self._unknown([name for name in changes if name not in self.values]))
        return self.restart(reply) if self.faults.get("restart_on_set") else reply

    def _unknown(self, names: list[str]) -> dict[str, Any]:
        if not names:
            return {}
        return {"InvalidParams": {str(number): name for number, name in enumerate(names)} if self.faults.get("object_params") else names}

    # ------------------------------------------------------------------ who and what

    def _up(self, word: str) -> str:
        days, rest = divmod(self.up_time, 86400)
        return f"{days} {word}{'s' if days > 1 else ''} {rest // 3600}:{rest // 60 % 60:02}:{rest % 60:02}"

    def _mac(self) -> dict[str, str]:
        return {} if self.faults.get("no_mac") else {"MACAddress": self.mac.lower()}

    def _info(self, request: Request) -> Reply:
        uptime = {} if self.faults.get("no_uptime") else {"UpTimeSinceLastReboot": self._up("Day")}
        return self._ok({"ModelNumber": self.model, "FirmwareRelease": self.firmware, "DeviceType": "hardwareEndpoint", "DeviceVendor": "Poly", **uptime,
                         "IPV4Address": "192.0.2.139", "IPV6Address": "::", **self._mac(), "AttachedHardware": {"EM": []}})

    def _info_v2(self, request: Request) -> Reply:
        days, rest = divmod(self.up_time, 86400)
        uptime = {"Days": str(days), "Hours": str(rest // 3600), "Minutes": str(rest // 60 % 60), "Seconds": str(rest % 60)}
        return self._ok({"ModelNumber": self.model, "Firmware": {"Application": f"{self.firmware} 28-Feb-22 15:29", "Updater": self.firmware},
                         "DeviceType": "HardwareEndpoint", "DeviceVendor": "Polycom", "UpTime": uptime, "AppState": "AppStateMenu",
                         "IPAddress": "192.0.2.139", **self._mac(), "AttachedHardware": {}})

    def _network_info(self, request: Request) -> Reply:
        return self._ok(self.network)

    def _network_stats(self, request: Request) -> Reply:
        return self._ok({"UpTime": self._up("day"), "RxPackets": "174384", "TxPackets": "3624"})

    def _listed(self) -> list[dict[str, str]]:
        """One entry per line key. A phone that nobody has set up shows its own model."""
        bare = self.model.replace(" ", "")
        if not self.given:
            return [{"LineNumber": "1", "RegistrationStatus": "unregistered", "LineType": "private", "SIPAddress": bare, "Label": self.model,
                     "UserID": self.model}]
        listed = []
        for n, account in enumerate(self.given, 1):
            user = f"{account.get('user', '')}@pbx.example.test"
            line = {"RegistrationStatus": "unregistered", "LineType": "private", "SIPAddress": user, "Label": f"Line {n}", "UserID": user}
            if n in self.effective:
                line.update(RegistrationStatus="registered", ProxyAddress="pbx.example.test", Port="5060", Protocol="SIP")
            listed += [line] * int(self.faults.get("line_keys", 1))
        return [{"LineNumber": str(key), **line} for key, line in enumerate(listed, 1)]

    def _lines(self, request: Request) -> Reply:
        return self._ok(self._listed())

    def _lines_v2(self, request: Request) -> Reply:
        seen: set[str] = set()
        listed = []
        for line in self._listed():
            server = {"Address": line.pop("ProxyAddress", ""), "Port": line.pop("Port", "0")}
            listed.append({**line, "CallServers": [] if line["SIPAddress"] in seen else [server]})
            seen.add(line["SIPAddress"])
        return self._ok(listed)

    # ------------------------------------------------------------------ calls and restarts

    def _calls(self, request: Request) -> Reply:
        self.polls += 1
        return self._ok([] if self.idle() else [self._one_call()])

    def _call(self, request: Request) -> Reply:
        """The older form: one call, not a list; without one, a status says so."""
        self.polls += 1
        return Reply.json({"Status": "4007"}) if self.idle() else self._ok(self._one_call())

    @staticmethod
    def _one_call() -> dict[str, str]:
        return {"CallState": "Connected", "CallHandle": "41c2c008", "LineID": "1", "Type": "Incoming", "RemotePartyNumber": "00491234567", "RTPPort": "2226",
                "DurationSeconds": "812", "Protocol": "SIP"}

    def _restart_request(self, request: Request) -> Reply:
        if not isinstance(self._body(request), dict):
            return Reply.json({"Status": "4000"})
        if not self.idle():                     # accepted, and done when the call has ended
            self.reboots += 1
            threading.Thread(target=self._restart_later, daemon=True).start()
            return self._ok()
        return self.restart(self._ok())

    def _restart_later(self) -> None:
        while not self.idle() and not self._stopping.is_set():
            time.sleep(0.02)
        self._restart()
