# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of status tables in several languages: headings, and what says that a phone is registered or not. Data and folding, no I/O.

All of it [I], put together from how PBXs and phones call these things; nobody has shown us Protel's own table. The tables hold folded text:
small letters without accents, words separated by one blank (see folded()).
"""

from __future__ import annotations

import re
import unicodedata

_NO_ACCENT = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i"})
_WORD = re.compile(r"[^\W_]+")


def folded(text: str) -> str:
    """"SIP-Port:" -> "sip port"; "Anexó" -> "anexo"."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text[:300]) if not unicodedata.combining(char))
    return " ".join(_WORD.findall(plain.casefold().translate(_NO_ACCENT)))


# What a column can mean -> (headings that say so, headings that say so where no better one is there).
_HEADINGS = {
    "extension": (
        "extension|ext|exten|extn|extension number|extension no|ext no|ext number|ext num|sip extension|extension id|ext id"
        "|nebenstelle|nebenstellennummer|nst|durchwahl|nebenst|anexo|numero de anexo|interno|numero interno|ramal|poste|numero de poste"
        "|toestelnummer|numer wewnetrzny|wewnetrzny|klapka|linka|anknytning|lokalnummer|dahili|dahili no|внутренний номер|внутренний|добавочный"
        "|分机|分机号|分機|分機號|内線|内線番号",
        "user|username|user name|name username|sip user|sip username|peer|endpoint|aor|account|sip account|subscriber|number|name"
        "|benutzer|benutzername|teilnehmer|rufnummer|usuario|utilisateur|compte|numero|conta|cuenta|utente|gebruiker|uzytkownik|пользователь|номер|用户|号码"),
    "address": (
        "ip|ip address|ip addr|ipaddress|address|host|hostname|ip host|host ip|contact|remote ip|remote address|source ip|source address|network address"
        "|registered ip|registered from|ip port|ip address port|address port|host port|ip and port|public ip|external ip|wan ip|local ip|lan ip|private ip"
        "|adresse|ip adresse|adresse ip|quelladresse|direccion|direccion ip|endereco|endereco ip|indirizzo|indirizzo ip|ip adres|adres|adres ip"
        "|ip adress|adress|ip adresi|адрес|ip адрес|地址|ip 地址|ip地址|アドレス|ip アドレス",
        ""),
    "port": (
        "port|sip port|udp port|ip port number|port number|port no|remote port|source port|src port|local port|local sip port|contact port|registered port"
        "|public port|external port|phone port|quellport|puerto|puerto sip|puerto origen|porta|porta sip|port sip|poort|sip poort|порт"
        "|sip порт|端口|端口号|埠|ポート",
        ""),
    "status": (
        "status|state|sip status|registration status|registration state|registration|reg status|reg state|registered|online|online status|connection"
        "|zustand|anmeldestatus|registrierung|registriert|statut|etat|enregistrement|estado|registro|registrado|stato|registrazione|stan|stav|durum"
        "|статус|состояние|регистрация|状态|狀態|注册状态|状態",
        ""),
    "transport": ("transport|protocol|protokoll|transporte|protocolo|protocole|trasporto|protocollo|протокол|协议", ""),
    "user_agent": (
        "user agent|useragent|agent|ua",
        "device|device type|device model|model|phone|phone model|phone type|type of phone|hardware|terminal|gerat|geratetyp|endgerat|telefon|modell"
        "|appareil|modele|telephone|dispositivo|modelo|telefono|aparelho|apparecchio|modello|устройство|модель|设备|型号|話機"),
}


def _table(words: str) -> frozenset[str]:
    return frozenset(filter(None, map(folded, words.split("|"))))


HEADINGS = {meaning: (_table(good), _table(weak)) for meaning, (good, weak) in _HEADINGS.items()}

_OUT = (
    "unregistered|not registered|unregister|notregistered|offline|down|none|no|n a|na|unavailable|expired|inactive|disconnected|not connected"
    "|logged off|unspecified|null|0|false|rejected|failed|timeout|never"
    "|nicht registriert|nicht angemeldet|abgemeldet|getrennt|nein|no registrado|sin registrar|desconectado|fuera de linea"
    "|non enregistre|deconnecte|hors ligne|non|nao registrado|desregistrado|nao|non registrato|scollegato"
    "|niet geregistreerd|nee|nie zarejestrowany|niezarejestrowany|nie|не зарегистрирован|нет|未注册|離線|离线|未登録")
_IN = (
    "registered|register|online|ok|up|yes|true|1|active|available|idle|in use|inuse|busy|ringing|on call|connected|logged on|reachable|avail|lagged|unmonitored"
    "|registriert|angemeldet|verbunden|erreichbar|frei|ja|registrado|conectado|en linea|disponible|si|enregistre|connecte|en ligne|oui|sim|registrato|connesso"
    "|geregistreerd|aangemeld|zarejestrowany|tak|зарегистрирован|да|已注册|在线|在線|登録済み")
_UNKNOWN = "unknown|nonqual|nonqualified|created|unbekannt|desconocido|inconnu|desconhecido|sconosciuto|onbekend|nieznany|неизвестно"
_NO_ANSWER = "unreachable|nicht erreichbar|unerreichbar|inaccesible|injoignable|inalcancavel|irraggiungibile|onbereikbaar|nieosiagalny|недоступен"
_STATES = {word: state for state, words in (("no", _OUT), ("yes", _IN), ("unknown", _UNKNOWN), ("unreachable", _NO_ANSWER))
           for word in _table(words)}
_FIGURES = re.compile(r"\b[0-9]+(?: ?ms)?\b|\bms\b")


def state_of(text: str) -> str:
    """What a status says: "no" (not registered), "yes", "unreachable" (registered, but it doesn't answer), "unknown" (the PBX doesn't know
    whether it answers; registered if there is an address), "" where nobody knows the words.

    Figures, and brackets with what is in them, don't count: "OK (23 ms)" is "ok".
    """
    words = folded(text.partition("(")[0] if text.partition("(")[0].strip() else text)
    return _STATES.get(words) or _STATES.get(" ".join(_FIGURES.sub(" ", words).split()), "")
