# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a field of a web page is called, and whether that means the local SIP port. Tables of words, and how a text belongs to a field. No I/O.

The tables hold folded text (form_words.folded): what vendors' pages and manuals call the setting, in their languages. It is recollection
and inference, nobody's documentation: hence the grades, and no write on a mere likeness.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.phones.form.page import UNSEEN, Page, walked
from ansible_collections.evenport.sip.plugins.module_utils.phones.form.words import folded, folded_name

# A label that is exactly one of these is the local SIP port.
EXACT = {
    "en": ("local sip port", "sip local port", "sip port local", "local port sip", "local sip listen port", "sip listen port", "sip listening port",
           "local sip listening port", "sip local listening port", "local signaling port", "local signalling port", "local sip udp port", "sip local udp port",
           "sip udp local port", "local sip udp tcp port", "local udp sip port", "sip source port", "source sip port", "local sip port number",
           "sip local port number", "listen port sip local", "local sip signaling port", "local sip port udp", "sip client port"),
    "de": ("lokaler sip port", "sip port lokal", "lokaler port sip", "lokaler port fur sip", "lokaler sip udp port", "lokaler sip listen port",
           "lokale sip portnummer", "eigener sip port", "lokaler signalisierungsport", "sip port des telefons"),
    "fr": ("port sip local", "port local sip", "port local du sip", "port local pour sip", "port d ecoute sip", "port sip d ecoute", "port udp sip local"),
    "es": ("puerto sip local", "puerto local sip", "puerto local de sip", "puerto de escucha sip", "puerto sip de escucha", "puerto udp sip local"),
    "it": ("porta sip locale", "porta locale sip", "porta locale del sip", "porta di ascolto sip", "porta sip di ascolto", "porta udp sip locale"),
    "nl": ("lokale sip poort", "sip poort lokaal", "lokale poort sip", "sip luisterpoort", "lokale sip udp poort"),
    "pt": ("porta sip local", "porta local sip", "porta local do sip", "porta local de sip", "porta de escuta sip", "porto sip local", "porto local sip"),
    "pl": ("lokalny port sip", "port lokalny sip", "port sip lokalny", "port nasluchu sip", "port nasluchiwania sip"),
    "sv": ("lokal sip port",), "da": ("lokal sip port",), "cs": ("mistni sip port", "mistni port sip", "lokalni sip port"),
    "tr": ("yerel sip portu", "yerel sip baglanti noktasi"),
    "ru": ("локальныи sip порт", "локальныи порт sip", "sip порт локальныи", "местныи sip порт"),
    "zh": ("本地sip端口", "sip本地端口", "本地 sip 端口", "sip监听端口", "sip監聽埠", "本地sip埠"),
}
# It may be, where the page is about SIP or the field's own name says more.
LOOSE = {
    "en": ("local port", "listen port", "listening port", "local udp port", "local listening port", "local listen port", "source port", "signaling port",
           "signalling port", "signal port", "sip udp port", "sip udp tcp port", "sip signaling port", "user agent port", "shared local sip port"),
    "de": ("lokaler port", "lokaler udp port", "signalisierungsport", "quellport", "eigener port"), "fr": ("port local", "port d ecoute", "port source"),
    "es": ("puerto local", "puerto de escucha", "puerto de origen"), "it": ("porta locale", "porta di ascolto"), "nl": ("lokale poort", "luisterpoort"),
    "pt": ("porta local", "porta de escuta", "porto local"), "pl": ("port lokalny", "lokalny port", "port nasluchu"), "ru": ("локальныи порт",),
    "zh": ("本地端口", "监听端口"),
}
# It hardly says anything: the server has one too.
WEAK = ("sip port", "port sip", "puerto sip", "porta sip", "sip poort", "sip端口", "port", "puerto", "porta", "poort")

# Ports of something else, whatever stands beside.
_OTHER = re.compile(r"\b(?:server|serveur|servidor|serwer|sunucu|proxy|registrar|registrier|outbound|ausgehend|sortant|saliente|rtp|rtcp|srtp|zrtp|stun"
                    r"|turn|ice|https?|web|telnet|ssh"
                    r"|remote|entfernt|distant|remot[ao]|peer|dest|destination|ziel|media|medien|audio|video|voice quality|ntp|ldap|t?ftp|syslog|snmp"
                    r"|tr ?069|acs|cwmp|tls|sips|multicast"
                    r"|paging|public|external|extern[ao]?|wan|lan|pc|min|max|minimum|maximum|range|bereich|step|end|ende|dns|vpn|pnp|iax2?|h ?323|mgcp"
                    r"|backup|failover|secondary|ha"
                    r"|timeout|timer|interval|expires?|keep ?alive|random|zufall\w*|vlan|qos|dscp|log|mirror|switch|hub|fax|t ?38|msrp|xmpp|smtp|mail"
                    r"|action uri|gateway"
                    r"|uzak|сервер\w*|прокси|服务器|代理|远程)\b|服务器|代理|远程|outboundproxy")
_OTHER_NAME = re.compile(r"server|serv|proxy|registrar|reg(?:istration)?port|outbound|rtp|stun|turn(?!over)|http|web|telnet|remote|media|audio|video|ntp"
                         r"|ldap|tftp|ftp|syslog|snmp|tr069|tls"
                         r"|multicast|paging|public|extern|wan|lan|min|max|range|start|end|step|dns|vpn|pnp|iax|mgcp|backup|failover|random|mirror|vlan")
_LOCAL_NAME = re.compile(r"(?:local|lokal|lcl|own)(?:sip|ua|udp|listen|signal\w*)*port|sip\w{0,6}local\w{0,6}port|sip(?:listen|src|source|local)port"
                         r"|listensipport|(?:sip)?listenport|portl?ocal\b"
                         r"|sipsrcport|srcport|sourceport|lport\b|sipportlocal|localport|networkidport")
_SIP_NAME = re.compile(r"sip|ua|voip|signal|acc|line|network ?id")

_RANDOM = re.compile(r"random|zufall|aleatoi|aleator|casual|willekeurig|losow|slumpm|nahodn|rastgele|случаин|随机")
_PORT = re.compile(r"port|puert|porta|poort|порт|端口")
_RANDOM_OTHER = re.compile(r"\b(?:rtp|rtcp|media|medien|audio|video|tls|web|http|start|min|max|end|range|dns|timer|interval|time|zeit)\b|服务器")

# Who registers there, and whether the account is on; the first that fits is the best. For reports and the check of further accounts only.
USER = ("sip user id", "sip user", "sip userid", "sip username", "sip user name", "register name", "registration name", "register user name", "account id",
        "user id", "userid",
        "sip id", "extension", "extension number", "sip number", "phone number", "user name", "username", "account name",
        "sip benutzername", "sip benutzer", "sip benutzerkennung", "sip kennung", "benutzerkennung", "nebenstelle", "rufnummer", "benutzername", "anmeldename",
        "identifiant sip", "nom d utilisateur sip", "numero de poste", "nom d utilisateur", "identifiant", "usuario sip", "id de usuario sip", "id de usuario",
        "nombre de usuario", "extension sip",
        "usuario", "nome utente sip", "utente sip", "nome utente", "utente", "interno", "sip gebruiker", "gebruikersnaam", "toestelnummer", "nome de usuario",
        "utilizador", "ramal",
        "nazwa uzytkownika", "uzytkownik sip", "numer wewnetrzny", "имя пользователя", "用户名")
ACTIVE = ("account active", "line active", "account enable", "account enabled", "enable account", "enable line", "line enable", "line enabled", "active",
          "enable", "enabled", "account status",
          "konto aktiv", "konto aktivieren", "leitung aktiv", "identitat aktiv", "aktiv", "aktiviert", "aktivieren", "compte actif", "activer le compte",
          "ligne active", "actif", "activer",
          "cuenta activa", "activar cuenta", "activa", "activo", "activar", "habilitar", "habilitado", "account attivo", "attiva account", "attivo", "abilita",
          "abilitato", "account actief",
          "account activeren", "actief", "conta ativa", "ativar conta", "ativo", "ativar", "habilitada", "konto aktywne", "aktywuj konto", "aktywne",
          "wlaczone")

# Where the phone takes its settings from. The first that is filled in counts.
PROVISIONING = ("config server path", "configuration server path", "config server", "configuration server", "configuration server url", "config server url",
                "configuration url",
                "provisioning server", "provisioning server url", "provisioning server address", "provisioning url", "auto provision server",
                "auto provisioning server",
                "auto provision server url", "auto provision url", "auto provisioning url", "setting url", "settings url",
                "provisionierungsserver", "provisionierungs url", "konfigurationsserver", "konfigurations url", "serveur de provisionnement",
                "serveur de configuration",
                "url de provisionnement", "servidor de aprovisionamiento", "servidor de configuracion", "url de aprovisionamiento", "server di provisioning",
                "server di configurazione", "url di provisioning", "configuratieserver", "provisioningserver", "servidor de provisionamento",
                "servidor de configuracao",
                "url de provisionamento", "serwer konfiguracji", "serwer provisioningu", "adres serwera konfiguracji")

_LINE = re.compile(r"\b(?:account|acct|acc|line|identity|konto|leitung|identitat|anschluss|compte|ligne|identite|cuenta|linea|identidad|conta|linha|lijn"
                   r"|linia|sip ?account|sip ?line|hesap"
                   r"|линия|аккаунт|账号|帐号|账户|线路|ext)(?: (?:no|nr|num|number|id|#))? ?([1-9][0-9]?)\b|(?:账号|帐号|账户|线路)([1-9][0-9]?)")
_BRACKETS = re.compile(r"[(\[{（][^)\]}）]{0,80}[)\]}）]")
_ABOUT_SIP = re.compile(r"\bsip|voip|account|\bline\b|konto|leitung|compte|ligne|cuenta|linea|\bconta\b|linha|lijn|linia|identit|telephon|账号|线路")
_NOISE = re.compile(r"\b(?:default|standard|required|optional|the|of|for|fur|de|del|du|di|number|nummer|no|nr|udp|use|id)\b|\b[0-9]+\b")

_BLOCKS = frozenset(("td", "th", "tr", "table", "div", "p", "li", "ul", "ol", "dt", "dd", "dl", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "fieldset",
                     "legend", "form", "section",
                     "label", "caption", "center", "tbody", "thead", "body"))
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "legend", "caption")
_VISIBLE = ("input", "select", "textarea", "button")
# How much of a page may be one label, one row: what keeps the time in proportion to the page, whatever a device sends.
_LABEL, _NODES, _CELLS = 300, 200, 100


@dataclass
class Said:
    """What is said of one field: (by what, text), the closest first; headings above it, the nearest first."""

    labels: list[tuple[str, str]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    column: str = ""


@dataclass(frozen=True)
class Verdict:
    """``level``: 3 sure, 2 likely, 1 unsure."""

    level: int
    label: str
    why: tuple[str, ...]


LEVELS = {3: "sure", 2: "likely", 1: "unsure"}


# ---------------------------------------------------------------------- which text belongs to which field


def said_of(page: Page) -> dict[Any, Said]:
    """Element of a visible field -> what is said of it, for all fields of the page."""
    by_id = {one.get("for"): _plain(one) for one in page.root.iter("label") if one.get("for")}
    found: dict[Any, Said] = {}
    segments: list[str] = []            # texts since the last field, a block each
    headings: list[str] = []
    waiting: list[Any] = []             # fields that may get a text behind them
    text = ""

    def close() -> None:
        nonlocal text
        words = " ".join(text.split())
        text = ""
        if words:
            segments.append(words[-_LABEL:])
            for one in waiting:
                found[one].labels.append(("the text behind it", words[:_LABEL]))
            waiting.clear()

    skip: Any = None
    for event, element in walked(page.root):
        if skip is not None:
            if event == "end" and element is skip:
                skip = None
                text += " " + (element.tail or "")
            continue
        if event == "start":
            if element.tag in (*UNSEEN, "title", "head"):
                skip = element
                continue
            if element.tag in _BLOCKS:
                close()
            if element.tag in ("tr", "li", "form", "table", "dt"):
                waiting.clear()
            if element.tag in _HEADINGS:
                headings.insert(0, _plain(element))
            if element.tag in _VISIBLE and (element.get("type") or "").lower() != "hidden":
                close()
                found[element] = _said(element, by_id, segments, headings)
                segments.clear()
                waiting[:] = [element] if (element.get("type") or "").lower() in ("checkbox", "radio", "password") else []
                skip = element if len(element) or element.tag in ("select", "textarea", "button") else None
                continue
            text += element.text or ""
        else:
            if element.tag in _BLOCKS:
                close()
            if element.tag == "tr" and _is_head(element):
                segments.clear()                # names its columns, not the field that comes next
            text += " " + (element.tail or "") if element.tag in _BLOCKS else (element.tail or "")
    return found


def _said(element: Any, by_id: dict[str, str], segments: list[str], headings: list[str]) -> Said:
    said = Said(headings=headings[:4])
    if element.get("id") in by_id:
        said.labels.append(("its label", by_id[element.get("id")]))
    around = next(element.iterancestors("label"), None)
    if around is not None:
        said.labels.append(("its label", _plain(around)))
    if element.get("aria-label"):
        said.labels.append(("its label", element.get("aria-label")))
    said.labels += [("the text before it", one) for one in reversed(segments[-2:])]
    row, column = _cells(element)
    if row:
        said.labels.append(("the head of its row", row))
    if column:
        said.labels.append(("the head of its column", column))
        said.column = column
    said.labels += [(f"its {name}", element.get(name)) for name in ("title", "placeholder") if element.get(name)]
    return said


def _plain(element: Any) -> str:
    """The text of a label or a cell, as far as it could be one."""
    parts: list[str] = []
    skip: Any = None
    for event, one in islice(walked(element), _NODES):
        if skip is not None:
            skip = None if event == "end" and one is skip else skip
            if skip is None and one is not element:
                parts.append(one.tail or "")
        elif event == "start" and one.tag in (*UNSEEN, "select", "textarea", "option"):
            skip = one
        elif event == "start":
            parts.append(one.text or "")
        elif one is not element:
            parts.append(one.tail or "")
    return " ".join(" ".join(parts).split())[:_LABEL]


def _cells(element: Any) -> tuple[str, str]:
    """(first cell of the row, head of the column) of a field in a table; "" where that is no text of its own."""
    cell = next(element.iterancestors("td", "th"), None)
    row = cell.getparent() if cell is not None else None
    if row is None or row.tag != "tr":
        return "", ""
    cells = [one for one in islice(row, _CELLS) if one.tag in ("td", "th")]
    if cell not in cells:
        return "", ""
    first = _plain(cells[0]) if cells[0] is not cell and not _has_field(cells[0]) else ""
    table = next(row.iterancestors("table"), None)
    head = next(table.iter("tr"), None) if table is not None else None
    if head is None or head is row or _has_field(head):
        return first, ""
    place = sum(_span(one) for one in cells[:cells.index(cell)])
    for one in islice(head, _CELLS):
        if one.tag in ("td", "th"):
            place -= _span(one)
            if place < 0:
                return first, _plain(one) if _span(one) == 1 else ""
    return first, ""


def _span(cell: Any) -> int:
    text = cell.get("colspan", "1")
    return min(int(text), 100) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) else 1


def _is_head(row: Any) -> bool:
    return not _has_field(row) and sum(bool(_plain(one)) for one in islice(row, _CELLS) if one.tag in ("td", "th")) > 1


def _has_field(element: Any) -> bool:
    return any((one.get("type") or "").lower() != "hidden" for one in islice(element.iter(*_VISIBLE), _NODES))


# ---------------------------------------------------------------------- what a text means


def _phrases(table: dict[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(phrase for phrases in table.values() for phrase in phrases)


_EXACT, _LOOSE = _phrases(EXACT), _phrases(LOOSE)


def meaning_of(text: str) -> str:
    """"exact", "within", "loose", "weak": how well a label names the local SIP port; "other": another port; "none": no port at all; "": says nothing."""
    variants = [bare(_BRACKETS.sub(" ", text)), bare(text)]
    if not variants[1]:
        return ""
    for words in variants:
        if words in _EXACT:
            return "exact"
    whole = folded(text)
    if re.search(r"\btcp\b", whole) and not re.search(r"\budp\b", whole):
        return "other"
    if _OTHER.search(folded(_BRACKETS.sub(" ", text))) or (_OTHER.search(whole) and variants[0] not in _LOOSE):
        return "other" if _PORT.search(whole) else "none"
    for words in variants:
        if any(f" {phrase} " in f" {words} " for phrase in _EXACT):
            return "within"
    for words in variants:
        if words in _LOOSE or _NOISE.sub(" ", words).strip() in _LOOSE:
            return "loose"
    if any(words in WEAK for words in variants):
        return "weak"
    return "none"


def bare(text: str) -> str:
    """A label without the number of its line and other numbers: "Account 1: Local SIP Port 2" -> "local sip port"."""
    words = re.sub(r"\b[0-9]+\b", " ", _LINE.sub(" ", folded(text)))
    return " ".join(words.split())


def meaning_of_name(name: str) -> str:
    """What the field's own name or id says: "local" (the local SIP port), "maybe", "other", "" """
    words = folded_name(name)
    glued = re.sub(r"[^a-z]", "", words)
    if _OTHER_NAME.search(glued):
        return "other" if "port" in glued else ""
    if _LOCAL_NAME.search(glued):
        return "local" if _SIP_NAME.search(glued) else "maybe"
    return "maybe" if re.search(r"sip\w{0,4}port", glued) else ""


def judge_port(said: Said, name: str, ident: str, page: Page) -> Verdict | None:
    """Is this text field the local SIP port? None: certainly not."""
    by, label, meaning = _first_meaning(said)
    own = next((one for one in (meaning_of_name(name), meaning_of_name(ident)) if one), "")
    about_sip = any(_ABOUT_SIP.search(folded(text)) for text in [page.via, page.title, *said.headings]) or bool(_ABOUT_SIP.search(folded_name(page.path)))
    why = [f"{by} says {label!r}"] if meaning in ("exact", "within", "loose", "weak") else []
    if own in ("local", "maybe"):
        why.append(f"its name is {name or ident!r}")
    level = 0
    if meaning == "exact":
        level = 3
    elif meaning == "within":
        level = 3 if own == "local" else 2
    elif meaning == "loose":
        level = 3 if own == "local" else 2 if own == "maybe" or about_sip else 1
        why += ["the page is about SIP"] if about_sip else []
    elif meaning == "weak":
        level = 2 if own == "local" else 1 if "sip" in folded(label) or own == "maybe" else 0
    elif meaning in ("none", ""):
        level = {"local": 2, "maybe": 1}.get(own, 0) if _neutral(said) else 0
        why += ["its label says nothing that is known"] if level else []
    if level and own == "other":
        level, why = 1, [*why, f"but its name {name or ident!r} speaks of another port"]
    return Verdict(level, label or name, tuple(why)) if level else None


def _first_meaning(said: Said) -> tuple[str, str, str]:
    """(by what, text, meaning) of the closest text that says anything; a line's number or a hint in figures says nothing."""
    for by, text in said.labels:
        meaning = meaning_of(text)
        if meaning and not (meaning == "none" and not bare(text)):
            if meaning == "none" and _line_only(text):
                continue
            return by, text[:60], meaning
    return "", "", ""


def _neutral(said: Said) -> bool:
    """No text around speaks of another port."""
    return all(meaning_of(text) != "other" for dummy, text in said.labels[:2])


def _line_only(text: str) -> bool:
    return bool(_LINE.search(folded(text))) and len(bare(text)) < 3


def judge_random(said: Said, name: str) -> Verdict | None:
    """Is this switch the one that makes the phone take a random local port?"""
    for by, text in said.labels:
        words = folded(text)
        if _RANDOM.search(words) and _PORT.search(words) and not _RANDOM_OTHER.search(words):
            return Verdict(3 if len(words) < 50 else 2, text[:60], (f"{by} says {text[:60]!r}",))
        if not _line_only(text) and by in ("its label", "the text before it", "the head of its row") and bare(text):
            break
    glued = re.sub(r"[^a-z]", "", folded_name(name))
    if "random" in glued and "port" in glued and not re.search(r"rtp|media|tls|web|http", glued):
        return Verdict(2, name, (f"its name is {name!r}",))
    return None


def rank_in(said: Said, table: tuple[str, ...]) -> int:
    """The place of the field's label in USER or ACTIVE; -1: not there."""
    for by, text in said.labels:
        words = bare(_BRACKETS.sub(" ", text))
        if words in table:
            return table.index(words)
        if words and not _line_only(text) and by != "the text before it":
            break
    return -1


def line_in(text: str) -> int:
    """The line that a text names ("Account 2", "Konto 2: ..."); 0: none, or several."""
    found = {int(one.group(1) or one.group(2)) for one in _LINE.finditer(folded(text))}
    return found.pop() if len(found) == 1 else 0


def line_of(said: Said, label: str, page: Page) -> int:
    """The line that a field belongs to, as people count, by what people read: label, column, row, headings, the link that led here, title. 0: none."""
    behind = re.search(r"port ([1-9][0-9]?)$", folded(_BRACKETS.sub(" ", label)))
    texts = [label, said.column, *(text for by, text in said.labels if by == "the head of its row"), *said.headings, page.via, page.title]
    return next((line for text in texts if (line := line_in(text))), 0) or (int(behind.group(1)) if behind else 0)


def index_in(name: str, path: str) -> int | None:
    """The number in a field's name ("port[0]", "SIP_Port_2_"), or in the page's query ("?acc=1") or name ("account2.htm"); None: none."""
    for text in (folded_name(name), folded_name(path.partition("?")[2]), folded_name(path.partition("?")[0].rpartition("/")[2])):
        numbers = re.findall(r"(?:\b|(?<=[a-z]))([0-9]{1,2})\b", text)
        if len(numbers) == 1:
            return int(numbers[0])
    return None
