# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yealink Y5: the JSON interface of v86 and later on T4xU and T5x.

Login, reading by key, call state, restart, import and export [HW] (T54W 96.87.0.22, T43U/T46U/T57W 108.86 and 96.86, W78). Writing by *key*
is [I]: writeconfig is proven with the web page's own ids, readconfig with keys too. So what counts is what is read back ("change" proves
nothing [HW]), and where the phone does not know the keys, export and import of a configuration take their place [HW].
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, Busy, DeviceError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, pick, printable, whole
from ansible_collections.evenport.sip.plugins.module_utils.http.faults import Dropped
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.model import Identity
from ansible_collections.evenport.sip.plugins.module_utils.phones.target import Target
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink import keys
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.common import Yealink, configuration, exported
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.crypto import PublicKey

_PUBLIC = ("wui.common.rsaN", "wui.common.rsaE", "wui.device.phoneName", "wui.device.firmware", "wui.device.mac")
_NOT_A_KEY = "error_invalid_cfg_info"           # readconfig and writeconfig of a phone that does not know a name (low trust)


class YealinkY5(Yealink):
    GENERATION = "Y5"

    def __init__(self, target: Target, web: WebSession, identity: Identity) -> None:
        super().__init__(target, web, identity)
        self.info: dict[str, str] = {}          # what the phone shows to anybody
        self._by_key = True                     # it knows cfg keys; else export and import

    def begin(self, info: Mapping[str, str]) -> None:
        """:arg info: of public_info()"""
        self.info = dict(info)
        self._take(self.info)

    # ------------------------------------------------------------------ session

    def _log_in(self) -> None:
        if not self.info:
            self.info = public_info(self.web)
        password = self.target.password
        modulus, exponent = (self.info.get(name, "") for name in _PUBLIC[:2])
        if modulus and exponent:                # an old 86.x hands out no key and takes the password as it is [HW] W78
            password = "__WUI_ENC__:" + PublicKey(modulus, exponent, f"{self.target.name}: {self.web.reach.url}").seal(password)
        self._open = True
        answer = self.web.post("/api/auth/login", {"username": self.target.username, "pwd": password}, query={"p": "Login", "t": _now()})
        if answer.status in (404, 405) or answer.status >= 500:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again.")
        data = answer.json()
        if pick(data, "ret") != "ok" or pick(data, "data") is False:
            self._turned_away(data)
        shown = named(self._info("Login", ["wui"]))
        self.token = shown.get("wui.common.token", "") or self.web.cookies.get("csrftoken", "")
        if self.token:
            self.web.cookies["csrfToken"] = self.token
        self._take(shown)

    def _turned_away(self, data: Any) -> None:
        """{"ret": "failed", "error": {"msg": .., "webStatus": .., "lockTime": .., "lineIp": ..}}. lockTime counts as minutes: one client reads seconds [U]."""
        error = pick(data, "error")
        error = error if isinstance(error, dict) else data if isinstance(data, dict) else {}
        said, status = str(error.get("msg", "")), str(error.get("webStatus", ""))
        if status == "lock":
            raise self._locked(whole(str(error.get("lockTime", "")), 0, 9999))
        if said == "auth_err_user_busy":
            who = printable(str(error.get("lineIp", "")), 45)
            raise Busy(f"{self.target.name}: somebody is logged in to the phone's web page{' from ' + who if who else ''}; it takes one at a time.",
                       "Run again when they have logged out; nobody is thrown out.")
        if status in ("403", "503"):
            raise BadAnswer(f"{self.target.name}: {self.web.reach.url} refused the login as such (web status {status}), which says nothing of the password.",
                            "Restart the phone, then run again.")
        if said == "error_username_or_password_is_wrong" or status == "error" or pick(data, "ret") == "failed":
            raise self._refused()
        raise BadAnswer(f"{self.target.name}: {self.web.reach.url} answered the login with something else than yes or no.",
                        "Restart the phone, then run again.")

    def _log_out(self, timeout: float) -> None:
        self.web.request("POST", "/api/auth/logout", {"p": "Login", "t": _now()}, body=b"{}", headers=self._headers(), timeout=timeout)

    def _headers(self) -> dict[str, str]:
        return {"Content-Type": "application/json;charset=UTF-8", **({"X-CSRFToken": self.token} if self.token else {})}

    def _post(self, path: str, page: str, data: Any) -> Answer:
        return self.web.request("POST", path, {"p": page, "t": _now()}, body=json.dumps(data).encode(), headers=self._headers())

    def _alive(self, answer: Answer) -> Answer:
        """An authenticated answer that is worth reading. How an ended session shows is [U]; 401, 403 and a redirect are what there is [I]."""
        if answer.status in (301, 302, 401, 403):
            raise self._lost()
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered {answer.status}.", "Restart the phone, then run again; if it stays, update its firmware.")
        return answer

    def _asked(self, answer: Answer) -> Any:
        data = self._alive(answer).json()
        if str(pick(data, "error.webStatus")) in ("401", "403"):
            raise self._lost()
        return data

    def _info(self, page: str, names: list[str]) -> Any:
        return self._asked(self._post("/api/common/info", page, {"idlist": names}))

    def _take(self, shown: Mapping[str, str]) -> None:
        self._shown(shown.get("wui.device.phoneName", ""), shown.get("wui.device.firmware", ""), shown.get("wui.device.mac", ""))

    # ------------------------------------------------------------------ settings

    def _values(self) -> dict[str, str]:
        if not self.identity.mac:
            self._take(named(self._info("StatusGeneral", ["wui"])))
        raw = self._values_by_key() if self._by_key else None
        if raw is not None:
            self.port_scope = keys.scope_of(raw, "phone")
            return raw
        self._by_key = False
        raw = self._export()
        self.port_scope = keys.scope_of(raw, "phone")
        return keys.completed(raw, self.port_scope)

    def _values_by_key(self) -> dict[str, str] | None:
        """None: this phone's readconfig does not know cfg keys, but the ids of its own web page."""
        answer = self._post("/api/inner/readconfig", "AccountRegister", {"formData": keys.wanted_keys()})
        if answer.status == 404:
            return None
        data = self._asked(answer)
        if pick(data, "ret") != "ok":
            if _NOT_A_KEY in str(pick(data, "error.msg")):
                return None
            raise BadAnswer(f"{answer.where} answered that it failed.", "Has this user the right to read settings? Use admin.")
        form = pick(data, "data.formData")
        if not isinstance(form, dict):
            raise BadAnswer(f"{answer.where} answered JSON without settings.", "Restart the phone, then run again; if it stays, update its firmware.")
        raw = {str(key): str(value).strip() for key, value in form.items() if isinstance(value, (str, int)) and not isinstance(value, bool)}
        # Whether a phone answers "" for names that it does not know is [U]. So an optional setting without a value counts as not there:
        # the port is not put back for the sake of a switch that the phone does not have.
        raw = {key: value for key, value in raw.items() if value or not key.endswith(keys.OPTIONAL)}
        ported = raw.get(keys.PHONE_PORT) or any(value for key, value in raw.items() if key.endswith(".sip_listen_port"))
        return raw if ported else None

    def _export(self) -> dict[str, str]:
        body = f"csrfmiddlewaretoken={self.token}".encode()
        headers = {**self._headers(), "Content-Type": "application/x-www-form-urlencoded"}
        answer = self._alive(self.web.request("POST", "/api/diagnosis/cfg/file", {"action": "export", "type": "all"}, body=body, headers=headers))
        return exported(answer)

    def _send(self, changes: Mapping[str, str]) -> None:
        if self._by_key:
            answer = self._post("/api/inner/writeconfig", "AccountRegister", {"formData": dict(changes)})
            data = self._asked(answer)
            if pick(data, "ret") == "ok":
                return                          # "change" or "nochange": neither is a proof [HW]
            if _NOT_A_KEY not in str(pick(data, "error.msg")):
                raise self._not_taken()
        self._import(changes)                   # the phone has said that it does not know the names: nothing has been written yet

    def _import(self, changes: Mapping[str, str]) -> None:
        file = ("config.cfg", configuration(changes), "application/octet-stream")
        answer = self.web.upload("/api/diagnosis/cfg/file", {"CFGConfigUpload": file}, query={"action": "import"}, headers=self._headers())
        if pick(self._asked(answer), "ret") != "ok":
            raise self._not_taken()

    def _not_taken(self) -> DeviceError:
        return DeviceError(f"{self.target.name}: the phone refused the change; nothing was written.", "Has this user the right to change settings? Use admin.")

    # ------------------------------------------------------------------ calls and restart

    def busy(self) -> str | None:
        answer = self.web.get("/api/common/info/status/talking", {"p": "SettingUpgrade", "t": _now()}, headers=self._headers())
        if answer.status == 404:
            return None                         # this firmware can't say: the PBX can
        talking = pick(self._asked(answer), "data")
        return {True: "a call is up", False: ""}.get(talking) if isinstance(talking, bool) else None

    def keep_alive(self) -> None:
        self._info("StatusGeneral", ["wui.device.firmware"])

    def reboot(self) -> None:
        self.was_down = False
        try:
            data = self._asked(self._post("/api/system/reboot", "SettingUpgrade", {}))
        except Dropped:
            return                              # it hung up because it is restarting; never sent twice
        if pick(data, "ret") != "ok" or pick(data, "data") is False:
            raise DeviceError(f"{self.target.name}: the phone refused to restart.", "Is a call up? Restart it by hand, or give a user who may.")

    def _look(self) -> None:
        self._asked(self._post("/api/inner/readconfig", "AccountRegister", {"formData": [keys.PHONE_PORT]}))


def public_info(web: WebSession) -> dict[str, str]:
    """What a Y5 shows to anybody; {} from anything else. Harmless: no login is asked for [HW]."""
    answer = web.request("POST", "/api/common/info", {"p": "Login", "t": _now()}, body=json.dumps({"idlist": list(_PUBLIC)}).encode(),
                         headers={"Content-Type": "application/json;charset=UTF-8"})
    if answer.status != 200:
        return {}
    try:
        data = answer.json()
    except BadAnswer:
        return {}
    return {"ret": "ok", **named(data)} if pick(data, "ret") == "ok" and isinstance(pick(data, "data"), dict) else {}


def named(data: Any) -> dict[str, str]:
    """{"data": {"wui.device.mac": ".."}} -> its texts by name; {} for anything else."""
    shown = pick(data, "data")
    return {str(name): value for name, value in shown.items() if isinstance(value, str)} if isinstance(shown, dict) else {}


def _now() -> str:
    return str(int(time.time() * 1000))
