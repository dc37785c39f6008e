# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yealink Y4: mod_listener and mod_data, v81 to v85 on T4xS, T2x E2 and T3x (a T31G with 124.86.104.1 too: the firmware number does not tell).

Two logins exist, and nobody has told what decides. A (the password in AES, its key in RSA) is what a T4xS client uses [HW], B (the password in
RSA) what T31G and T30P do [HW]. A login in the wrong way is a failed login, and failed logins lock the phone: so one is chosen by what is known
of the model, else by the login page's own script [I], and the other is never tried.

Reading is the export of the configuration, writing the import of one with a few lines, which applies just these ([HW] T31G).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, DeviceError
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer, parse_json, pick, printable
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.common import configuration, exported
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.crypto import PublicKey, aes_base64, random_hex, random_text
from ansible_collections.evenport.sip.plugins.module_utils.phones.yealink.servlet import LoginPage, YealinkServlet, is_locked, nonce, variable

_RES_INFO = re.compile(r"id=[\"']_RES_INFO_[\"'][^>]{0,100}>\s*(\{[^<]{0,2000}\})", re.IGNORECASE)
_LIMIT = re.compile(r"localcfg.{0,200}?[\"':]\s*(\d{1,4}[KM]B)\b", re.DOTALL)
_DEFAULT_LIMIT = "5MB"                          # what a T31G's page says [HW]
_IMPORT_PAGE = "/servlet?m=mod_data&p=settings-config&q=load"
_B_MODELS = re.compile(r"(?:SIP-)?T3\d", re.IGNORECASE)
_A_MODELS = re.compile(r"(?:SIP-)?T4\dS", re.IGNORECASE)


class YealinkY4(YealinkServlet):
    GENERATION = "Y4"

    # ------------------------------------------------------------------ session

    def fetch_page(self) -> bool:
        """Ask for the login page, which names model and firmware. False: no login page of a Y4, nor the page of a locked one."""
        self.page = self._login_page()
        self._shown(self.page.variable("g_phonetype"), self.page.variable("g_strFirmware"))
        return bool(self.page.variable("g_rsa_n")) or is_locked(self.page)

    def _login_page(self) -> LoginPage:
        answer = self.web.get("/servlet", {"m": "mod_listener", "p": "login", "q": "loginForm", "jumpto": "status", "Random": nonce()})
        if answer.status != 200:
            raise BadAnswer(f"{answer.where} answered its login page with {answer.status}.", "Restart the phone, then run again.")
        return LoginPage(answer.text, {name: value for name, value in self.web.cookies.items() if name == "JSESSIONID"})

    def _log_in(self) -> None:
        page, self.page = self.page or self._login_page(), None
        self.web.cookies.update(page.cookies)
        self._shown(page.variable("g_phonetype"), page.variable("g_strFirmware"))
        key = PublicKey(page.variable("g_rsa_n"), page.variable("g_rsa_e"), f"{self.target.name}: {self.web.reach.url}")
        variant, why = variant_of(page)
        form = {"username": self.target.username, **self._sealed(key, variant)}
        self._open = True
        answer = self.web.post("/servlet", form, query={"m": "mod_listener", "p": "login", "q": "login", "Rajax": nonce()})
        status = str(pick(result_of(answer), "authstatus"))
        if status == "lock":
            raise self._locked(None)
        if status == "none":
            raise self._refused(f" (sent by login {variant}, {why}; a phone that wants the other way answers the same)" if why else "")
        if status != "done":
            raise BadAnswer(f"{answer.where} answered the login with {printable(status, 20)!r}.", "Restart the phone, then run again.")

    def _sealed(self, key: PublicKey, variant: str) -> dict[str, str]:
        if variant == "B":
            return {"pwd": key.seal(self.target.password)}
        session, aes_key, aes_iv = self._sid(self.web.cookies.get("JSESSIONID", "")), random_hex(), random_hex()
        return {"pwd": aes_base64(f"{random_text()};{session};{self.target.password}", aes_key, aes_iv), "rsakey": key.seal(aes_key), "rsaiv": key.seal(aes_iv)}

    def _log_out(self, timeout: float) -> None:
        self.web.get("/servlet", {"m": "mod_listener", "p": "login", "q": "logout"}, timeout=timeout)         # [3P]

    # ------------------------------------------------------------------ settings

    def _values(self) -> dict[str, str]:
        if not self.identity.mac:
            self._take_identity(self._get({"m": "mod_data", "p": "status", "q": "load"}))
        answer = self._alive(self.web.post("/servlet", query={"m": "mod_configfile", "q": "exportcfgconfig", "type": "all"}))
        return self._complete(exported(answer))

    def _config_page(self) -> Answer:
        page = self._get({"m": "mod_data", "p": "settings-config", "q": "load"})
        self._take_token(page)
        return page

    def _send(self, changes: Mapping[str, str]) -> None:
        page = self._config_page()
        key = PublicKey(variable(page.text, "g_rsa_n"), variable(page.text, "g_rsa_e"), f"{self.target.name}: {self.web.reach.url}")
        limit = _LIMIT.search(page.text[:400000])
        query = {"m": "mod_res", "p": "upload", "type": "localcfg", "maxlength": key.seal(limit.group(1) if limit else _DEFAULT_LIMIT), "token": self.token}
        answer = self.web.upload("/servlet", {"UploadName": ("config.cfg", configuration(changes), "application/octet-stream")}, query=query,
                                 headers={"Referer": self.web.reach.url + _IMPORT_PAGE})      # as two clients send it [HW]; whether it must be is unknown
        if answer.status == 403:
            raise self._not_taken("403 (forbidden)")
        result = pick(result_of(self._alive(answer)), "result")
        if isinstance(result, str) and result != "success" and not result.isdigit():    # a number is a success [HW]
            raise self._not_taken(printable(result, 20))
        if result is None or isinstance(result, (bool, dict, list)):
            raise BadAnswer(f"{answer.where} answered the import with something else than a result.", "Restart the phone, then run again.")

    def _not_taken(self, said: str) -> DeviceError:
        """noparam: the limit (maxlength) or every key is unknown to the phone; large, failed, false."""
        return DeviceError(f"{self.target.name}: the phone refused the import of the change ({said}); nothing was written.",
                           "Has this user the right to import a configuration? Use admin; else set it by hand.")

    # ------------------------------------------------------------------ restart

    def _ask_reboot(self) -> Answer:
        self._config_page()                                                             # its token
        return self.web.post("/servlet", {"token": self.token}, query={"m": "mod_upgrade", "q": "reboot", "forcereboot": "true", "Rajax": nonce()})   # [3P]

    def keep_alive(self) -> None:
        self._look()

    def _look(self) -> None:
        self._get({"m": "mod_data", "p": "status", "q": "load"})


def variant_of(page: LoginPage) -> tuple[str, str]:
    """("A" or "B", why: "" where the model is known for it)."""
    model, firmware = page.variable("g_phonetype"), page.variable("g_strFirmware")
    if firmware.startswith("124.") or _B_MODELS.match(model):
        return "B", ""                                                                  # [HW] T31G, T30P
    if _A_MODELS.match(model):
        return "A", ""                                                                  # [HW] T4xS
    if re.search(r"\brsa(?:key|iv)\b", page.text):
        return "A", "as its login page speaks of rsakey"                                # [I]
    if re.search(r"\bpwd\b[^;]{0,80}\bRSAEncrypt\(", page.text):
        return "B", "as its login page encrypts the password by RSA alone"              # [I]
    return "A", f"which is an assumption for a {printable(model, 20) or 'nameless model'} with firmware {printable(firmware, 30) or 'unknown'}"


def result_of(answer: Answer) -> Any:
    """The JSON in <div id="_RES_INFO_">{..}</div> [HW].

    :raises BadAnswer: an answer without it
    """
    found = _RES_INFO.search(answer.text[:400000])
    if not found:
        raise BadAnswer(f"{answer.where} answered a page without a result.", "Restart the phone, then run again; if it stays, update its firmware.")
    return parse_json(found.group(1).replace("&quot;", '"'), answer.where)
