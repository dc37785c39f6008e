# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Status tables as people paste and export them. All samples are made up: nobody has shown us how Protel's own table looks."""

from __future__ import annotations

import contextlib
import itertools
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, PlanError
from ansible_collections.evenport.sip.plugins.module_utils.model import Registration
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table import cells, words
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.layout import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.pbx.table.parse import extension_of, parse_table, place_of

# What every one of the samples below says, apart from what it leaves out.
PHONES = {
    "0101": ("203.0.113.1", 5060, "Grandstream GXP2170 1.0.11.64"),
    "4540": ("203.0.113.1", 41777, "Yealink SIP-T46S 66.84.0.15"),
    "4540r": ("198.51.100.7", 50121, "Bria 6.5"),
}
OUT = ["102", "103"]
ROWS = [["0101", "203.0.113.1", "5060", "Registered", PHONES["0101"][2]], ["4540", "203.0.113.1", "41777", "Registered", PHONES["4540"][2]],
        ["102", "-", "-", "Unregistered", ""], ["4540r", "198.51.100.7", "50121", "Registered", PHONES["4540r"][2]],
        ["103", "UNKNOWN", "0", "UNKNOWN", ""]]
HEADINGS = ["Extension", "IP Address", "Port", "Status", "User Agent"]


def text_of(separator, headings=None, rows=None):
    return "\n".join(separator.join(row) for row in [headings or HEADINGS, *(rows or ROWS)]) + "\n"


def html_of(headings=None, rows=None):
    line = "".join(f"<th>{one}</th>" for one in headings or HEADINGS)
    body = "\n".join("<tr>" + "".join(f"<td>{one}</td>" for one in row) + "</tr>" for row in rows or ROWS)
    return f"<html><head><title>SIP Status</title></head><body><table class=t><thead><tr>{line}</tr></thead><tbody>{body}</tbody></table></body></html>"


def parsed(data, **columns):
    return parse_table(data if isinstance(data, bytes) else data.encode(), columns)


def check(table, agents=True, ports=True):
    assert sorted(table.extensions) == sorted([*PHONES, *OUT]) and table.complete
    assert {one.extension: (one.seen_address, one.seen_port, one.user_agent) for one in table.registrations} == {
        name: (address, port if ports else 0, agent if agents else "") for name, (address, port, agent) in PHONES.items()}
    for one in table.registrations:             # nothing is claimed, nothing is known of where the port comes from
        assert (one.claimed_address, one.claimed_port, one.seen_is_source, one.status, one.transport) == ("", 0, False, "registered", "udp")


FIXED = """\
SIP Status                       Page 1 of 1

Extension   IP Address      Port    Status         User Agent
---------   ------------   ------   ------------   ------------------------------
0101        203.0.113.1     5060    Registered     Grandstream GXP2170 1.0.11.64
4540        203.0.113.1    41777    Registered     Yealink SIP-T46S 66.84.0.15
102                                 Unregistered
4540r       198.51.100.7   50121    Registered     Bria 6.5
103         UNKNOWN            0    UNKNOWN

5 extensions
"""
NESTED = """\
<table><tr><td>Menu</td><td>
  <table border=1>
    <tr><th colspan=2>SIP Status of <b>Acme</b></th><th colspan=3>as of now</th></tr>
    <tr><th>Ext.</th><th>IP&nbsp;Address</th><th>Port</th><th>State</th><th>User agent</th></tr>
    <tr><td><a href="/ext?id=1">0101</a></td><td>203.0.113.1</td><td><font color=green>5060</font><td><img src=on.png alt="Registered"></td>
        <td><span>Grandstream</span> GXP2170<br>1.0.11.64</td></tr>
    <tr><td><a href="/ext?id=2">4540</a><td>203.0.113.1<td><table><tr><td>41777</td></tr></table></td><td><img src=on.png title="Registered">
        <td>Yealink SIP-T46S 66.84.0.15
    <tr><td>102<script>var port = 5066;</script></td><td colspan=2>-</td><td><img alt=Unregistered></td><td></td></tr>
    <tr><td>4540r</td><td>198.51.100.7</td><td>50121</td><td>Registered</td><td>Bria 6.5</td></tr>
    <tr><th>Ext.</th><th>IP Address</th><th>Port</th><th>State</th><th>User agent</th></tr>
    <tr><td>103</td><td>UNKNOWN</td><td>0</td><td>UNKNOWN</td><td></td></tr>
  </table>
</td></tr><tr><td colspan=2>Copyright</td></tr></table>
"""

SAMPLES = {
    "tabs, as pasted from a browser": text_of("\t"),
    "commas": text_of(","),
    "semicolons": text_of(";"),
    "lines of Windows": text_of(";").replace("\n", "\r\n"),
    "lines of an old Mac": text_of(";").replace("\n", "\r"),
    "quotes": text_of(",", rows=[[f'"{cell}"' for cell in row] for row in ROWS]),
    "quotes with the separator in them": text_of(",", ["Extension", '"Full, name"', *HEADINGS[1:]], [[row[0], '"Miller, ""Jo"""', *row[1:]] for row in ROWS]),
    "a quote that is none": text_of(",", ["Extension", "Comment", *HEADINGS[1:]], [[row[0], '"19 in rack', *row[1:]] for row in ROWS]),
    "formulas that keep zeros": text_of(",", rows=[[f'="{row[0]}"', *row[1:]] for row in ROWS]),
    "a mark of UTF-8": "\ufeff" + text_of(";"),
    "Excel's Unicode text": text_of("\t").encode("utf-16"),
    "UTF-16 without a mark": text_of("\t").encode("utf-16-le"),
    "UTF-16, the other way round": b"\xfe\xff" + text_of("\t").encode("utf-16-be"),
    "Windows-1252": text_of(";", ["Extension", "Büro", *HEADINGS[1:]], [[row[0], "Empfang Köln", *row[1:]] for row in ROWS]).encode("cp1252"),
    "title lines above, a remark below": "SIP Status\nAcme Ltd.;printed today\n\n" + text_of(";") + "5 extensions\n",
    "the heading again on the next page": text_of("\t", rows=[*ROWS[:2], HEADINGS, *ROWS[2:]]),
    "fixed columns": FIXED,
    "fixed columns with a title on top": FIXED.replace("of 1\n\n", "of 1\n"),
    "fixed columns with a sum below": FIXED.replace("5 extensions", "5 extensions                    3 registered      of 5"),
    "html": html_of(),
    "html, nested and faulty": NESTED,
    "html in Latin-1": html_of(["Extension", "Büro", *HEADINGS[1:]], [[row[0], "Köln", *row[1:]] for row in ROWS]).encode("cp1252"),
    "html of two pages": html_of(rows=ROWS[:3]) + html_of(rows=ROWS[3:]),
    "pasted twice": text_of("\t") + text_of("\t"),
    "address and port in one cell": text_of("\t", ["Extension", "Contact", "Status", "User Agent"], [
        [row[0], f"{row[1]}:{row[2]}" if row[1][0].isdigit() else row[1], *row[3:]] for row in ROWS]),
    "contacts": text_of("\t", ["Ext", "Contact", "User Agent"], [
        [row[0], f"sip:{row[0]}@{row[1]}:{row[2]};ob" if row[1][0].isdigit() else "-none-", row[4]] for row in ROWS]),
    "the address says it, whatever its heading": text_of(";", ["Extension", "Ubicazione", "Status", "User Agent"], [
        [row[0], f"{row[1]}:{row[2]}" if row[1][0].isdigit() else "-", *row[3:]] for row in ROWS]),
    "as Asterisk's sip show peers": text_of("\t", ["Name/username", "Host", "Dyn", "Port", "Status", "User agent"], [
        [f"{row[0]}/{row[0]}", row[1] if row[1][0].isdigit() else "(Unspecified)", "D", row[2] if row[2].isdigit() else "0",
         "OK (23 ms)" if row[1][0].isdigit() else "UNKNOWN", row[4]] for row in ROWS]),
    "names beside the numbers": text_of("\t", rows=[[f"{row[0]} (Anna)", *row[1:]] for row in ROWS]),
    "names before the numbers": text_of("\t", rows=[[f"Anna <{row[0]}>", *row[1:]] for row in ROWS]),
}
LANGUAGES = {
    "de": ["Nebenstelle", "IP-Adresse", "Port", "Status", "Endgerät"], "de 2": ["Durchwahl", "Adresse", "Quellport", "Registrierung", "Gerät"],
    "es": ["Anexo", "Dirección IP", "Puerto", "Estado", "Agente"], "es 2": ["Extensión", "Dirección", "Puerto SIP", "Estado", "Dispositivo"],
    "pt": ["Ramal", "Endereço IP", "Porta", "Estado", "Aparelho"], "fr": ["N° de poste", "Adresse IP", "Port", "État", "Appareil"],
    "it": ["Interno", "Indirizzo IP", "Porta", "Stato", "Apparecchio"], "nl": ["Toestelnummer", "IP-adres", "Poort", "Status", "User-Agent"],
    "pl": ["Numer wewnętrzny", "Adres IP", "Port", "Stan", "Model"], "ru": ["Внутренний номер", "IP-адрес", "Порт", "Состояние", "Устройство"],
    "zh": ["分机号", "IP 地址", "端口", "状态", "设备"], "ja": ["内線番号", "IP アドレス", "ポート", "状態", "User-Agent"],
    "en": ["ext #", "Host", "SIP port", "Reg. status", "Device type"],
}
LANGUAGES["es"][4], LANGUAGES["fr"][0], LANGUAGES["en"][0] = "User agent", "Numéro de poste", "EXT."


@pytest.mark.parametrize("name", SAMPLES)
def test_what_people_paste_and_export(name):
    check(parsed(SAMPLES[name]))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("made", [lambda headings: text_of("\t", headings), html_of])
def test_headings_in_several_languages(language, made):
    check(parsed(made(LANGUAGES[language])))


@pytest.mark.parametrize("columns", [
    {"extension": "Pers.", "address": "Wo", "port": "Nr", "status": "Wie", "user_agent": "Was"},
    {"extension": "1", "address": "3", "port": "4", "status": "5", "user_agent": "6"},
    {"extension": "pers", "address": "3", "port": "NR", "status": "5", "user_agent": "was"},
])
@pytest.mark.parametrize("separator", [";", ",", "\t", None])
def test_columns_that_a_person_gives(columns, separator):
    headings, rows = ["Pers.", "?", "Wo", "Nr", "Wie", "Was"], [[row[0], "x", *row[1:]] for row in ROWS]
    check(parsed(text_of(separator, headings, rows) if separator else html_of(headings, rows), **columns))


def test_no_headings_at_all():
    check(parsed(text_of(";", ROWS[0], ROWS[1:]), extension="1", address="2", port="3", status="4", user_agent="5"))
    table = parsed("0101  203.0.113.1:5060\n4540  203.0.113.1:41777\n4540r  198.51.100.7:50121\n")
    assert {one.extension: one.seen_port for one in table.registrations} == {name: port for name, (dummy, port, unused) in PHONES.items()}
    assert not table.complete
    with pytest.raises(PlanError, match=r"No headings; the first row: 1 '0101', 2 '203.0.113.1', 3 '5060'"):     # which number is the extension?
        parsed(text_of(";", ROWS[0], ROWS[1:]))


TWO_PORTS = text_of(";", ["Extension", "IP", "Port", "Local port"], [["101", "203.0.113.1", "41777", "5062"], ["102", "", "", ""]])


def test_never_guess_between_two_ports():
    with pytest.raises(PlanError, match=r"'Port' and 'Local port' could both be the port\. Headings: 1 'Extension', 2 'IP', 3 'Port', 4 'Local port'") as told:
        parsed(TWO_PORTS)
    assert "sip_pbx_columns: {extension: ..., address: ..., port: ...}" in told.value.remedy
    table = parsed(TWO_PORTS, claimed_port="Local port")
    assert table.registrations == (Registration("101", "", 5062, "203.0.113.1", 41777, status="registered"),)
    assert parsed(TWO_PORTS, claimed_port="4", port="3") == table
    two = text_of(";", ["Ext", "Contact", "Port"], [["101", "sip:101@192.168.1.11:5062", "41777"]])
    with pytest.raises(PlanError, match=r"'Contact' and 'Port' hold two different ports \(5062 and 41777 for 101\)"):
        parsed(two)
    assert parsed(two, claimed_port="Contact").registrations == (Registration("101", "192.168.1.11", 5062, "", 41777, status="registered"),)
    assert parsed(two, port="Port").registrations[0].seen_port == 41777
    assert parsed(text_of(";", ["Ext", "Sits at"], [["101", "5062"]]), claimed_port="Sits at").registrations == (
        Registration("101", claimed_port=5062, status="registered"),)


@pytest.mark.parametrize(("text", "columns", "message"), [
    ("", {}, "there is no table in it"),
    ("hello world\n", {}, "there is no table|no column is recognised"),
    (text_of(";", ["Foo", "Bar", "Baz"], [["a", "b", "c"]]), {}, r"no column is recognised as the extension. Headings: 1 'Foo', 2 'Bar', 3 'Baz'"),
    (text_of(";", ["Extension", "Name", "Mail"], [["101", "Anna", "a"]]), {}, "as address, port or status"),
    (text_of(";", ["User", "Account", "IP", "Port"], [["a", "101", "203.0.113.1", "5060"]]), {}, "'User' and 'Account' could both be the extension"),
    (text_of(";", ["Ext", "Public IP", "Local IP"], [["101", "203.0.113.1", "192.168.1.1"]]), {}, "'Public IP' and 'Local IP' could both be the address"),
    (text_of(";"), {"port": "Puerto"}, r"'Puerto' is no heading. Headings: 1 'Extension'"),
    (text_of(";"), {"port": "17"}, "column 17, but there are 5"),
    (text_of(";"), {"ports": "Port"}, "'ports' is no meaning"),
    (text_of(";"), {"port": "Port", "claimed_port": "3"}, "same column"),
    (text_of(";", ["Ext", "Port", "Port"], [["101", "1", "2"]]), {"port": "port"}, "heading of several columns"),
    (text_of(";", ["Ext", "Port", "Status"], [["101", "FXS one", "Registered"]]), {}, "the column 'Port' holds no ports"),
    (text_of(";", ["Ext", "Status"], [["101", "gebongt"]]), {}, "'gebongt'.*means registered"),
    (text_of(";", ["Ext", "Status"], [["Anna Maria", "Registered"]]), {}, "holds no extensions"),
    (html_of() + html_of(["Ext", "IP", "Port", "State", "UA"]), {}, "several tables that could be meant"),
    ("<html><body><div>101 203.0.113.1</div></body></html>", {}, "no table"),
])
def test_a_person_is_asked(text, columns, message):
    with pytest.raises(PlanError, match=message):
        parsed(text, **columns)


@pytest.mark.parametrize("magic", [b"PK\x03\x04rest", b"\xd0\xcf\x11\xe0\xa1\xb1", b"%PDF-1.7", b"\x89PNG\r\n", b"\xff\xd8\xff\xe0"])
def test_files_that_are_no_text(magic):
    with pytest.raises(PlanError, match="can't be read"):
        parsed(magic + bytes(100))


def test_only_the_registered_are_listed():
    table = parsed(text_of(";", ["Ext", "IP", "Port"], [["101", "203.0.113.1", "5060"], ["102", "203.0.113.1", "5062"]]))
    assert not table.complete and table.extensions == ("101", "102")


@pytest.mark.parametrize(("cells_of_row", "status", "address", "port"), [
    (["203.0.113.1", "5060", "OK (23 ms)"], "registered", "203.0.113.1", 5060),
    (["203.0.113.1", "5060", "UNREACHABLE"], "unreachable", "203.0.113.1", 5060),
    (["203.0.113.1", "5060", "Unmonitored"], "registered", "203.0.113.1", 5060),
    (["203.0.113.1", "5060", "UNKNOWN"], "registered", "203.0.113.1", 5060),
    (["203.0.113.1", "5060", "some new word"], "registered", "203.0.113.1", 5060),
    (["", "", "Registered"], "registered", "", 0),
    (["203.0.113.1", "", "Registered"], "registered", "203.0.113.1", 0),
    (["2001:db8::7", "5060", ""], "registered", "2001:db8::7", 5060),
    (["[2001:db8::7]:5070", "", ""], "registered", "2001:db8::7", 5070),
    (["phone.example.com:5060", "", ""], "registered", "phone.example.com", 5060),
    (["203.0.113.1", "5060", "Not registered"], None, None, None),
    (["203.0.113.1", "5060", "Nicht registriert"], None, None, None),
    (["(Unspecified)", "0", "UNKNOWN"], None, None, None),
    (["0.0.0.0", "0", ""], None, None, None),
    (["-", "-", "-"], None, None, None),
    (["203.0.113.1", "0", ""], None, None, None),
    (["", "", ""], None, None, None),
    (["", "70000", "some new word"], None, None, None),
])
def test_who_is_registered(cells_of_row, status, address, port):
    table = parsed(text_of(";", ["Ext", "IP", "Port", "Status"], [["100", "203.0.113.9", "5099", "Registered"], ["101", *cells_of_row]]))
    assert table.extensions == ("100", "101")
    found = {one.extension: one for one in table.registrations}.get("101")
    assert (found and (found.status, found.seen_address, found.seen_port)) == (status and (status, address, port))


def test_several_contacts_of_one_extension():
    html = html_of(["Ext", "Address", "State"], [["<b>101</b>", "203.0.113.1:5060", "OK"]]).replace("<td><b>", "<td rowspan=2><b>").replace(
        "</tbody>", "<tr><td>203.0.113.1:5062</td><td>OK</td></tr></tbody>")
    assert [(one.extension, one.seen_port) for one in parsed(html).registrations] == [("101", 5060), ("101", 5062)]


def test_transports():
    rows = [["101", "sip:101@203.0.113.1:5061;transport=TLS", ""], ["102", "sips:102@203.0.113.1:5063", ""], ["103", "203.0.113.1:5065", "TCP"]]
    table = parsed(text_of("\t", ["Ext", "Contact", "Transport"], rows))
    assert [(one.seen_port, one.transport) for one in table.registrations] == [(5061, "tls"), (5063, "tls"), (5065, "tcp")]
    assert parsed(text_of("\t", ["Ext", "Port"], [["101", "5061/tcp"]])).registrations[0].transport == "tcp"


@pytest.mark.parametrize(("text", "name"), [
    ("101", "101"), (" 4540r ", "4540r"), ("0101", "0101"), ("SIP/101", "101"), ("101/101", "101"), ("101@192.0.2.1", "101"),
    ("sip:101@x", "101"), ("Anna <101>", "101"), ("Anna <sip:101@x;p>", "101"), ("101 Anna", "101"), ("Anna 101", "101"), ("101 (Anna)", "101"),
    ("Anna (101)", "101"), ("anna", "anna"), ("*97", "*97"), ("anna.b-1", "anna.b-1"), ("101 102", ""), ("Anna Maria", ""),
    ("-", ""), ("", ""), ("x" * 200, ""), ("()", ""), ("<>", "")])
def test_how_extensions_are_written(text, name):
    assert extension_of(text) == name


def test_a_remark_is_no_extension():
    assert extension_of("12 peers", alone=True) == extension_of("Total:", alone=True) == "" and extension_of("104", alone=True) == "104"


@pytest.mark.parametrize(("text", "host", "port"), [
    ("203.0.113.1", "203.0.113.1", 0), ("203.0.113.1:5062", "203.0.113.1", 5062), ("203.0.113.1 : 5062", "203.0.113.1", 5062),
    ("2001:db8::1", "2001:db8::1", 0), ("[2001:db8::1]:5062", "2001:db8::1", 5062), ("<sip:101@203.0.113.1:5062>", "203.0.113.1", 5062),
    ("203.0.113.1:123456", "", 0), ("phone.example.com:123456", "", 0), ("203.0.113.1:99999", "203.0.113.1", 0), ("203.0.113.1 (OK)", "203.0.113.1", 0),
    ("0.0.0.0:5060", "", 0), ("::", "", 0), ("5060", "", 0), ("999.1.1.1", "", 0), ("none", "", 0), ("", "", 0)])
def test_how_addresses_are_written(text, host, port):
    assert (place_of(text).host, place_of(text).port) == (host, port)


def test_the_words():
    for one, other in itertools.combinations(words.HEADINGS.values(), 2):
        assert not (one[0] | one[1]) & (other[0] | other[1])
    assert set(words.HEADINGS) - {"transport"} == set(MEANINGS) - {"claimed_port"}
    assert all(word == words.folded(word) for both in words.HEADINGS.values() for some in both for word in some)


# Bounded, whatever it is. The bounds are generous: a slow machine under load takes ten times what ours does.

BIG = 16 * 1024 * 1024


@pytest.mark.parametrize("made", [
    lambda: b"a," * (BIG // 2), lambda: b"," * BIG, lambda: b"\n" * BIG, lambda: b"a\n" * (BIG // 2), lambda: b'"' * BIG, lambda: b'"a\n' * 5000000,
    lambda: b"<table>" * (BIG // 7), lambda: b"<table><tr><td>" * (BIG // 15), lambda: b"<table>" + b"<tr>" * (BIG // 5),
    lambda: b"<table><tr>" + b"<td colspan=9999 rowspan=9999>x" * (BIG // 32), lambda: b"<table><tr>" + b"<td>x" * (BIG // 6),
    lambda: b"<table><tr><td>" + b"x" * (BIG - 20), lambda: b"<" * BIG, lambda: (b"a  " * 30 + b"\n") * 19000, lambda: (b" " * 40000 + b"a  b\n") * 400,
    lambda: b"<html" * (BIG // 5),
    lambda: b"a  b\n\n" * 19000, lambda: bytes(BIG), lambda: b"Extension;IP;Port\n" + b"101;" + b"(" * (BIG - 100) + b";5060\n",
    lambda: b"Ext\tIP\tPort\n" + b"101\t203.0.113.1\t5060\n" * 19990],
    ids=range(20))
def test_huge_files_end(made):
    data, started = made(), time.monotonic()
    with contextlib.suppress(PlanError):
        parse_table(data)
    assert time.monotonic() - started < 60


def test_too_large():
    with pytest.raises(PlanError, match="larger than 16 MB"):
        parse_table(bytes(cells.SIZE + 1))
    with pytest.raises(PlanError, match="more than 20000"):
        parse_table(b"Ext;IP\n" + b"101;203.0.113.1\n" * 20001)
    with pytest.raises(PlanError, match="more than 20000"):
        parse_table(b"<table>" + b"<tr><td>101<td>203.0.113.1" * 20001)


PIECES = st.sampled_from([
    "Extension", "Port", "IP Address", "Status", "Contact", "101", "4540r", "203.0.113.1", "203.0.113.1:5060", "5062", "Registered", "-", "UNKNOWN",
    "\t", ";", ",", "\n", "\n", "  ", '"', "=", "<table>", "</table>", "<tr>", "<td>", "<td colspan=3>", "<td rowspan=3>", "<th>", "</td>", "<br>",
    "<script>", "</script>", "<img alt=x>", "&nbsp;", "\x00", "é", "[", "]", "<", ">", "@", ":", "(", ")"])


@settings(max_examples=400)
@given(data=st.binary(max_size=400) | st.lists(PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode())
       | st.lists(PIECES, max_size=60).map(lambda pieces: "".join(pieces).encode("utf-16")) | st.text(max_size=300).map(lambda text: text.encode()),
       columns=st.dictionaries(st.sampled_from(MEANINGS), st.sampled_from(["1", "2", "3", "0", "9999", "Port", "Extension", "x", "", "²"]), max_size=3))
@example(data=b"<table><tr><td>&#0;</table>", columns={})
@example(data=b"<table><tr><td charset=idna>", columns={})
def test_any_file_gives_records_or_our_error(data, columns):
    try:
        table = parse_table(data, columns)
    except EvenportError as error:
        assert len(str(error)) < 3000
    else:
        assert table.extensions and {one.extension for one in table.registrations} <= set(table.extensions)
        for one in table.registrations:
            assert 0 <= one.seen_port <= 65535 and 0 <= one.claimed_port <= 65535 and one.extension.isprintable()
