# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake Yealink of generation Y5: the JSON interface of v86 and later, stateful, with the quirks of the protocol sheet, and faults on demand.

    fake = FakeYealinkY5(password="secret"); fake.start(); fake.values["sip.listen_port"]; fake.stop()

Faults, besides those of yealink_state.py::

    plain                 old 86.x: no key is handed out, the password is taken as it is, and nobody asks for a CSRF token
    other_session         "192.0.2.99": somebody there holds the only session
    public_mac            the MAC is shown to anybody
    no_token              no CSRF token is handed out (and none asked for)
    unknown_keys          what readconfig does with a name that it does not know: "omit" (default), "empty", "refuse" (the whole request)
    wui_ids               readconfig and writeconfig take the web page's own ids only: every cfg name is unknown
    write_by_id           writeconfig refuses cfg names
    no_call_state         the call state is 404
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from tests.fakes.web import Reply, Request
from tests.fakes.yealink_state import FakeYealink, modulus, multipart, rsa_open

# The web page's own id of a setting, the one that is known [HW] W78.
_IDS = {"AutoProvisionServerURL": "static.auto_provision.server.url"}
_REFUSED = {"ret": "failed", "data": False, "error": {"msg": "error_invalid_cfg_info"}}


class FakeYealinkY5(FakeYealink):
    generation = "Y5"
    MODEL, FIRMWARE = "T46U", "108.86.0.30"
    server_header = "yealink"

    def __init__(self, **more: Any) -> None:
        self.token = secrets.token_hex(16)
        super().__init__(**more)

    def handle(self, request: Request) -> Reply:
        if request.path in ("/servlet", "/api/diagnosis/cfg/file"):
            self.by_query(request)
        if request.path == "/servlet":
            return Reply(302, headers=[("Location", "/api")])
        if request.path == "/":
            return self.page('<div id="app"></div><script src="/static/js/app.js"></script>', f"Yealink {self.model}")
        handler = {
            ("POST", "/api/common/info"): self._info, ("POST", "/api/auth/login"): self._login, ("POST", "/api/auth/logout"): self._logout,
        }.get((request.method, request.path))
        if handler:
            return handler(request)
        handler = {
            ("POST", "/api/inner/readconfig"): self._read, ("POST", "/api/inner/writeconfig"): self._write,
            ("POST", "/api/diagnosis/cfg/file"): self._file, ("GET", "/api/common/info/status/talking"): self._talking,
            ("POST", "/api/system/reboot"): self._reboot, ("POST", "/api/autop/now"): self._autop,
        }.get((request.method, request.path))
        if handler is None:
            return Reply(404, b"<html>404</html>")
        if not self.session_of(request):
            return self._no_session()
        wanted = "" if self.faults.get("no_token") or self.faults.get("plain") else self.token
        if wanted and (request.headers.get("x-csrftoken") != wanted or request.cookies.get("csrfToken") != wanted):
            return Reply(403, b'{"ret":"failed","error":{"msg":"csrf"}}', "application/json")
        return handler(request)

    @staticmethod
    def _no_session() -> Reply:
        return Reply(401, b'{"ret":"failed","data":false,"error":{"webStatus":"401"}}', "application/json")

    def _info(self, request: Request) -> Reply:
        asked = self._body(request).get("idlist", [])
        shown = {"wui.device.phoneName": self.model, "wui.device.firmware": self.firmware, "wui.common.loginNote": ""}
        if not self.faults.get("plain"):
            shown.update({"wui.common.rsaN": modulus(), "wui.common.rsaE": "10001"})
        inside = self.session_of(request)
        if (inside or self.faults.get("public_mac")) and self.colons():
            shown["wui.device.mac"] = self.colons()
        if inside and not self.faults.get("no_token"):
            shown["wui.common.token"] = self.token
        return Reply.json({"ret": "ok", "data": {name: value for name, value in shown.items() if name in asked or "wui" in asked}})

    @staticmethod
    def _body(request: Request) -> dict[str, Any]:
        try:
            data = json.loads(request.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    def _login(self, request: Request) -> Reply:
        who = {"phoneName": self.model, "firmware": self.firmware}
        other = self.faults.get("other_session") or (self._sessions and request.peer)
        if other:
            self.login_attempts += 1
            return Reply.json({"ret": "failed", "data": False, "error": {"msg": "auth_err_user_busy", "lineIp": other, **who}})
        sent = request.form.get("pwd", "")
        if not self.faults.get("plain"):
            prefix, dummy, sealed = sent.partition(":")
            sent = (rsa_open(sealed) or "") if prefix == "__WUI_ENC__" else ""
        verdict = self.attempt(request.form.get("username"), sent)
        if verdict == "lock":
            return Reply.json({"ret": "failed", "data": False, "error": {"webStatus": "lock", "lockTime": str(self.minutes_left()), **who}})
        if verdict == "none":
            return Reply.json({"ret": "failed", "data": False, "error": {
                "webStatus": "error", "msg": "error_username_or_password_is_wrong", **who}})
        self.token = secrets.token_hex(16)
        return Reply.json({"ret": "ok", "data": True}, headers=[("Set-Cookie", f"JSESSIONID={self.open_session()}; path=/; HttpOnly")])

    def _logout(self, request: Request) -> Reply:
        self.close_session(request)
        return Reply.json({"ret": "ok", "data": True})

    # ------------------------------------------------------------------ settings

    def _unknown(self, names: Any) -> bool:
        return bool(self.faults.get("wui_ids")) or any(name not in self.values for name in names)

    def _read(self, request: Request) -> Reply:
        asked = self._body(request).get("formData", [])
        mode = self.faults.get("unknown_keys", "omit")
        if mode == "refuse" and self._unknown(asked):
            return Reply.json(_REFUSED)
        known = {} if self.faults.get("wui_ids") else {name: self.masked(name) for name in asked if name in self.values}
        return Reply.json({"ret": "ok", "data": {"formData": {**dict.fromkeys(asked if mode == "empty" else (), ""), **known}}})

    def _write(self, request: Request) -> Reply:
        if self.faults.get("write_session_lost"):
            self.expire_sessions()
            return self._no_session()
        changes = {_IDS.get(key, str(key)): str(value) for key, value in self._body(request).get("formData", {}).items()}
        if any(key in _IDS.values() for key in changes):
            self.store(changes)
            return Reply.json({"ret": "ok", "data": "change"})
        if self.faults.get("write_by_id") or self._unknown(changes):
            return Reply.json(_REFUSED)
        change = any(self.values[key] != value for key, value in changes.items())
        self.store(changes)
        return Reply.json({"ret": "ok", "data": "change" if change else "nochange"})

    def _file(self, request: Request) -> Reply:
        action = request.query.get("action")
        if action == "export" and request.form.get("csrfmiddlewaretoken") == ("" if self.faults.get("no_token") else self.token):
            return Reply(body=self.exported(), content_type="application/octet-stream")
        changes = self.imported(multipart(request).get("CFGConfigUpload", b"")) if action == "import" else None
        if not changes:
            return Reply.json(_REFUSED)
        if self.faults.get("write_session_lost"):
            self.expire_sessions()
            return self._no_session()
        self.store(changes)
        return Reply.json({"ret": "ok", "data": True})

    # ------------------------------------------------------------------ state of the phone

    def _talking(self, request: Request) -> Reply:
        if self.faults.get("no_call_state"):
            return Reply(404, b"<html>404</html>")
        self.polls += 1
        return Reply.json({"ret": "ok", "data": not self.idle()})

    def _autop(self, request: Request) -> Reply:
        return Reply.json({"ret": "ok", "data": True})

    def _reboot(self, request: Request) -> Reply:
        return self.restart(Reply.json({"ret": "ok", "data": True}))
