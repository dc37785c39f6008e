# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of web pages in several languages: what must not be clicked, what logs out, what says that logins are locked. Data, no I/O.

All tables hold folded text: small letters without accents, words separated by one space (see folded()). "|" separates stems.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

_NO_ACCENT = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i"})
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def folded(text: str) -> str:
    """"Lokaler SIP-Port:" -> "lokaler sip port"; "Réinitialiser" -> "reinitialiser"."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return " ".join(_WORD.findall(plain.casefold().translate(_NO_ACCENT)))


def folded_name(text: str) -> str:
    """The words of an address or of a control's name: "/cgi-bin/doReboot.cgi?sipPort=1" -> "cgi bin do reboot cgi sip port 1"."""
    return folded(_HUMP.sub(" ", unquote(text)))


# Restart, reset, upgrade, delete, store, call, log out: whatever a look-round must never do. Whole pages may be missed for it, and that is meant.
_DANGER = re.compile("|".join((
    # en
    r"reboot|restart|(?<!p)reset|factory|upgrad|firmware|updat|shut ?down|power ?off|\bhalt\b|\bwipe|\beras|delet|\bremov|\bclear|\bformat\b|restor"
    r"|(?:set|load|to|all) defaults?\b|\bdefaults\b|^default$|default settings|defaultset|\bsave|\bapply|\bcommit|\bimport\b|\bexport\b|upload|download|backup"
    r"|\bdial\b|hang ?up|make ?call|\bping\b|trace ?route|\bcapture\b|\btest\b|provision now|resync|unregister|deregister|activat|unlock|\bquit\b|\bexit\b"
    r"|\bkill\b",
    # de
    r"neu ?start|rucksetz|werksein|werksres|\bwerk\b|aktualisier|losch|entfern|wiederherstell|speichern|ubernehm|herunterfahr|beenden|hochlad|sicherung"
    r"|anrufen",
    # fr
    r"redemarr|reinitialis|mise a (?:jour|niveau)|mettre a jour|\busine\b|supprim|effac|restaur|quitter|\benregistrer\b|appliqu|televers|appeler",
    # es, pt
    r"reinici|restablec|actualiz|atualiz|fabrica\b|borrar|elimin|\bguardar|\baplicar|apagar|llamar|redefin|exclu[is]|desligar|\bsalvar\b|\bligar\b",
    # it
    r"riavvi|ripristin|aggiorn|fabbrica|cancell|\bsalva\b|\bapplica\b|spegn|chiama\b",
    # nl
    r"herstart|opnieuw (?:op)?start|herstel|bijwerk|fabriek|\bwissen|verwijder|opslaan|toepassen|afsluit|\bbellen\b",
    # pl
    r"uruchom|resetuj|przywroc|aktualizac|aktualizuj|fabryczn|\busun|skasuj|\bzapisz|zastosuj|zadzwon",
    # cs, sv, da, no, tr, ru, zh
    r"starta om|aterstall|genstart|nulstil|tovarni|yeniden|sifirla|перезагр|сброс|обнов|удал|завод|重启|重啟|重置|恢复|恢復|升级|升級|删除|刪除|出厂|出廠|保存",
)))

LOGOUT = re.compile("|".join((
    r"\blog ?(?:out|off)|\bsign ?(?:out|off)|abmeld|auslogg|deconnex|deconnect|cerrar sesion|desconect|\bsalir\b|disconnett|\besci\b|afmeld|uitlog",
    r"terminar sessao|encerrar sessao|\bsair\b|wylogu|logga ut|log ud|logg ut|odhlasit|cikis|выход|выйти|注销|登出|退出",
)))

LOGIN = re.compile(r"\blog ?(?:in|on)\b|\bsign ?in\b|anmeld|einlogg|connexion|\biniciar sesion|\bacced|\baccesso\b|aanmeld|inlog|\bentrar\b|zaloguj"
                   r"|logowan|войти|登录|登錄")

# A page worth looking at first.
LIKELY = re.compile(r"\bsip|voip|account|\bacc(?:t|ount)?\d*\b|\bline\b|identit|\bkonto|konten|leitung|\bcompte|\bligne|\bcuenta|\blinea|\bconta|\blinha"
                    r"|\blijn|\blinia|linie"
                    r"|telephon|network|netz|reseau|red\b|rete\b|netwerk|\brede|siec|setting|einstell|advanced|erweitert|menu|nav|账号|帐号|账户|线路")

_LOCKED = re.compile(r"\block(?:ed|out)\b|gesperrt|verrouill|\bbloqu|\bbloccat|geblokkeerd|vergrendeld|zablokowan|too many|zu viele|trop de tentatives"
                     r"|demasiados|troppi|te veel"
                     r"|zbyt wiele|blockiert")
# "Locked after 3 failures" is a hint to users, not a lock.
_RULE = re.compile(r"\b(?:after|nach|apres|despues de|dopo|na|apos|po|if|wenn|si|se) (?:[1-9][0-9]?|three|five|drei|funf) \w+")
_WAIT = re.compile(r"\b(\d{1,4}) ?(min|sec|sek|s\b)")

REFUSED = re.compile(r"\b(?:invalid|incorrect|wrong|failed|failure|denied|falsch|fehlgeschlagen|ungultig|incorrecte?|invalide|errat[ao]|sbagliat|onjuist"
                     r"|ongeldig"
                     r"|incorret[ao]|invalid[ao]|bledn|nieprawidl|unauthorized|forbidden)")

# Parameters that make a page do something, and values with which it only shows.
_VERBS = ("cmd", "command", "action", "act", "do", "op", "oper", "operation", "exec", "execute", "key", "press", "number", "call", "set", "method", "func",
          "function")
_SHOWS = ("", "show", "view", "list", "get", "load", "page", "display", "open", "index", "status", "read", "main", "home", "menu", "edit", "config")
_NO_PAGE = re.compile(r"\.(?:js|css|png|jpe?g|gif|ico|svg|bmp|webp|woff2?|ttf|bin|rom|img|fw|cfg|conf|xml|json|txt|log|csv|tar|t?gz|bz2|zip|wav|mp3|pcap"
                      r"|pdf|jar|swf|cab|exe|pem|crt)$",
                      re.IGNORECASE)
_TOKEN = re.compile(r"(?=[^=&]*[0-9])[0-9A-Za-z_-]{16,}|[0-9A-Fa-f]{12,}")


def dangerous(words: str) -> bool:
    """:arg words: folded text of a link, a button or an address"""
    return bool(_DANGER.search(words) or LOGOUT.search(words))


def is_page(path: str) -> bool:
    """May the address *path* (with its query) be looked at? It names a page, does nothing, and holds no session."""
    place, dummy, query = path.partition("?")
    if _NO_PAGE.search(place) or _TOKEN.search(query) or ";" in place:
        return False
    for pair in re.split(r"[&;]", query):
        name, dummy, value = pair.partition("=")
        if folded(name) in _VERBS and folded(unquote(value)) not in _SHOWS:
            return False
    stem = re.sub(r"/default\.\w+$", "/", place)        # the home page of some web servers
    return not dangerous(folded_name(stem + " " + query)) and not dangerous(folded(unquote(stem + " " + query)))


def locked_for(text: str) -> tuple[bool, int | None]:
    """(says that logins are locked, for how many minutes: None if it doesn't say)."""
    words = folded(text[:20000])
    if not _LOCKED.search(words) or _RULE.search(words):
        return False, None
    found = _WAIT.search(words)
    if not found:
        return True, None
    number = int(found.group(1))
    return True, number if found.group(2) == "min" else -(-number // 60)
