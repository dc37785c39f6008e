# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's pages in a real Chromium, opened from a disk: they are read, filtered, sorted, walked by keyboard and printed, by day and by night."""

from __future__ import annotations

import base64
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.evenport.sip.plugins.plugin_utils.report.page import render_index, render_site
from tests.browser import chromium
from tests.browser.devtools import Browser
from tests.lab.tree import LabUnavailable
from tests.unit.plugins.plugin_utils.report.hostile import full_of
from tests.unit.plugins.plugin_utils.report.sample import HOSTILE, sample_report

KEYS = {
    "Tab": (9, ""), "Enter": (13, "\r"), "ArrowRight": (39, ""), "ArrowLeft": (37, ""), "ArrowDown": (40, ""), "ArrowUp": (38, ""), "Home": (36, ""),
    "End": (35, ""), "Escape": (27, ""),
}
FOCUSED = """(() => {
  const e = document.activeElement, s = getComputedStyle(e);
  const name = e.getAttribute('href') || e.type || e.getAttribute('role') || e.tagName;
  const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
  return {name, seen, text: e.textContent.trim().slice(0, 30), top: e.getBoundingClientRect().top};
})()"""
TIP = "(() => {{ const b = {}.querySelector('.tip').getBoundingClientRect(); return b.width > 50 && b.height > 20 && b.right <= innerWidth }})()"
SHOWN = "[...document.querySelectorAll('#{table} tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[{column}].textContent.trim())"

# Each text that can be seen against what lies behind it: those below WCAG AA, as [text, ratio].
LOW_CONTRAST = """(() => {
  const parse = (c) => { const n = c.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n };
  const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => { const l = c.map((v) => linear(v / 255)); return .2126 * l[0] + .7152 * l[1] + .0722 * l[2] };
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3]) layers.push(c); if (c[3] === 1) break }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let measured = 0;
  for (let n; (n = walker.nextNode());) {
    const e = n.parentElement, s = getComputedStyle(e);
    if (!n.data.trim() || !e.checkVisibility({visibilityProperty: true}) || e.closest('script, .sr, .tip, .symbols')) continue;
    const back = behind(e), a = light(over(parse(s.color), back)), b = light(back), size = parseFloat(s.fontSize);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    measured++;
    if (ratio < (size >= 24 || size >= 18.66 && s.fontWeight >= 700 ? 3 : 4.5)) found.push([n.data.trim().slice(0, 30), e.className, ratio]);
  }
  return {measured, found: found.slice(0, 10)};
})()"""


class Watched:
    """A browser, and all that a page did besides being shown: requests, dialogs, errors, words in the console."""

    def __init__(self, browser: Browser, folder: Any) -> None:
        self.browser, self.folder, self.done = browser, folder, []
        browser.listeners.append(self._event)
        browser.call("Log.enable")

    def _event(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.javascriptDialogOpening":
            self.done.append(("dialog", params["message"]))
            self.browser.send("Page.handleJavaScriptDialog", {"accept": True}, lambda unused: None)
        elif method == "Network.requestWillBeSent" and params["type"] != "Document":
            self.done.append(("request", params["request"]["url"]))
        elif method == "Page.frameNavigated" and "report.html" not in params["frame"]["url"]:
            self.done.append(("left", params["frame"]["url"]))
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.windowOpen"):
            self.done.append((method, params))

    def show(self, text: str, width: int = 1280, height: int = 900, name: str = "report.html", **media: Any) -> float:
        """The milliseconds that it took to load."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        self.browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.browser.call("Emulation.setEmulatedMedia", **{"media": "", "features": [], **media})
        self.browser.open("about:blank")
        self.browser.wait("location.href == 'about:blank' && document.readyState == 'complete'")
        self.done.clear()
        self.browser.open(path.as_uri())
        self.browser.wait("location.protocol == 'file:' && document.readyState == 'complete'")
        return self.browser.evaluate("performance.getEntriesByType('navigation')[0].duration")

    def press(self, key: str) -> None:
        code, text = KEYS[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            self.browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def focused(self) -> dict[str, Any]:
        return self.browser.evaluate(FOCUSED)

    def shown(self, table: str, column: int) -> list[str]:
        return self.browser.evaluate(SHOWN.format(table=table, column=column))

    def click(self, selector: str) -> None:
        """The browser scrolls at once, so that the middle of the element is where it is measured."""
        self.browser.evaluate(f"document.querySelector(`{selector}`).scrollIntoView({{block: 'center', behavior: 'instant'}})")
        self.browser.click(selector)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A Chromium, fetched now, once, if need be. Where none can be had the tests are skipped with the reason; in CI they fail."""
    try:
        chromium.command()
    except LabUnavailable as reason:
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            raise
        pytest.skip(str(reason))
    with Browser() as browser:
        yield Watched(browser, tmp_path_factory.mktemp("page"))


REPORT = sample_report(3, 40)
SITE = REPORT["sites"][2]
PAGE = render_site(REPORT, SITE)
INDEX = render_index(REPORT, {site["site"]: f"{site['site']}.html" for site in REPORT["sites"]})


def test_a_page_that_does_something_is_seen(watched):
    watched.show("<title>x</title><script>alert(1); console.error('x'); fetch('http://127.0.0.1:9/x'); nothing()</script><img src=y.png>")
    watched.browser.wait("document.images[0].complete")
    kinds = {kind for kind, unused in watched.done}
    assert {"dialog", "request", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"} <= kinds


class Counting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *dummy: Any) -> None:
        pass


def test_the_policy_lets_no_foreign_script_run_and_nothing_load(watched):
    """Were a text not escaped, the browser would still not run it, nor ask anybody for anything. Without the policy it would."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Counting) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        foreign = (f"<script>alert(1)</script><script src={url}/s></script><img src={url}/i onerror=alert(2)><link rel=stylesheet href={url}/c>"
                   f"<iframe src={url}/f></iframe><p style=\"background:url({url}/b)\">x")
        text = PAGE.replace("<main>", f"<main>{foreign}")
        for page, asked in ((text, set()), (re.sub("<meta http-equiv[^>]*>", "", text), {"/s", "/i", "/c", "/f", "/b"})):
            watched.show(page)
            assert watched.browser.evaluate("document.images.length") == 1
            deadline = time.monotonic() + (5 if asked else 0.5)
            while set(server.asked) < asked and time.monotonic() < deadline:
                time.sleep(0.05)
            assert {path for path in server.asked if path != "/favicon.ico"} == asked
            assert any(kind == "dialog" for kind, unused in watched.done) is bool(asked)
        server.shutdown()


@pytest.mark.parametrize("text", [
    PAGE, INDEX, render_site(REPORT, REPORT["sites"][0]), *(render(full_of(list(HOSTILE))) for render in (
        lambda report: render_site(report, report["sites"][1]), lambda report: render_index(report, {site["site"]: site["site"] for site in report["sites"]}))),
], ids=["site", "index", "good", "hostile-site", "hostile-index"])
def test_a_page_opens_from_a_disk_and_does_nothing_else(watched, text):
    watched.show(text)
    browser = watched.browser
    assert browser.evaluate("document.documentElement.classList.contains('js')"), "our own script ran"
    for selector in ("table.sortable thead th:nth-child(1) button", "table.sortable thead th:nth-child(2) button"):
        watched.click(selector)
    for field in ("alert", "<script>", ""):
        watched.click("input[type=search]")
        browser.type("input[type=search]", field)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    browser.evaluate("document.querySelectorAll('.cell, a').forEach((one) => { one.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})); one.focus() })")
    time.sleep(0.3)
    assert not watched.done
    assert browser.evaluate("document.images.length + document.scripts.length + document.forms.length") == 2, "one script and one form: ours"


def test_filter_by_text_and_verdict(watched):
    watched.show(PAGE)
    browser = watched.browser
    phones = [line["phone"] for line in SITE["lines"] if line["kind"] == "phone"]
    assert len(watched.shown("table-lines", 0)) == 40 and browser.evaluate("document.querySelector('output').textContent") == "40 lines"
    watched.click("#lines input")
    browser.type("#lines input", "yealink UDP")
    found = watched.shown("table-lines", 10)
    assert 0 < len(found) < 40 and browser.evaluate("document.querySelector('output').textContent") == f"{len(found)} of 40 lines"
    rows = browser.evaluate("[...document.querySelectorAll('#table-lines tbody tr:not([hidden])')].map((row) => row.textContent.toLowerCase())")
    assert all("yealink" in row and "udp" in row for row in rows)
    browser.type("#lines input", "nobody is called this")
    assert not watched.shown("table-lines", 0) and "none of 40 lines" in browser.evaluate("document.querySelector('output').textContent")
    assert browser.evaluate("document.querySelector('output').getAttribute('aria-live')") == "polite"
    watched.click("#lines button[type=reset]")
    browser.wait("document.querySelector('output').textContent == '40 lines'")
    assert len(watched.shown("table-lines", 0)) == len(phones)
    browser.evaluate("document.querySelector('#lines select').focus()")
    wanted = sum(line["verdict"] == "wrong_port" for line in SITE["lines"])
    steps = browser.evaluate("[...document.querySelectorAll('#lines option')].findIndex((one) => one.value == 'verdict wrong_port')")
    for key in ["ArrowDown"] * steps:
        watched.press(key)
    assert watched.shown("table-lines", 7) == ["Wrong port"] * wanted and wanted


def test_sort_by_every_column(watched):
    watched.show(PAGE)
    before = watched.shown("table-lines", 2)
    heads = watched.browser.evaluate("[...document.querySelectorAll('#table-lines thead th')].map((th) => th.textContent)")
    assert len(heads) == 12
    for column in range(len(heads)):
        head = f"#table-lines thead th:nth-child({column + 1})"
        orders = []
        for way in ("ascending", "descending"):
            watched.click(f"{head} button")
            sorted_by = watched.browser.evaluate("[...document.querySelectorAll('#table-lines [aria-sort]')].map((th) => [th.cellIndex, th.ariaSort])")
            assert sorted_by == [[column, way]]
            orders.append(watched.shown("table-lines", column))
        up, down = ([text.replace(" differs", "").replace("differs", "") for text in order if text not in ("", "–")] for order in orders)
        if heads[column] in ("Line", "Planned", "Set", "Claimed", "Seen"):
            assert [int(text) for text in up] == sorted(map(int, up)) and [int(text) for text in down] == sorted(map(int, down), reverse=True)
        elif heads[column] == "Verdict":
            weight = {"In order": 2, "Not seen": 1}
            assert [weight.get(text, 0) for text in up] == sorted(weight.get(text, 0) for text in up) and up != down
        elif heads[column] in ("NAT option", "Extension", "This run"):
            assert up == sorted(up) and down == sorted(down, reverse=True)
        for order in orders:
            blanks = [text in ("", "–") for text in order]
            assert blanks == sorted(blanks), f"{heads[column]}: what is not known comes last"
    assert sorted(watched.shown("table-lines", 2)) == sorted(before), "and no row is lost"


def test_sort_with_the_keyboard(watched):
    watched.show(PAGE)
    watched.browser.evaluate("document.querySelector('#table-lines th:nth-child(4) button').focus()")
    watched.press("Enter")
    watched.press("Enter")
    assert watched.browser.evaluate("document.querySelector('#table-lines th:nth-child(4)').ariaSort") == "descending"
    assert watched.focused()["text"] == "Planned", "the focus stays"


def test_the_tabulator_goes_through_the_page_in_its_order(watched):
    watched.show(PAGE, height=20000)            # nothing scrolls, so that places can be compared
    seen = []
    while len(seen) < 300:
        watched.press("Tab")
        now = watched.focused()
        if now["name"] == "BODY":
            break
        seen.append(now)
    names = [one["name"] for one in seen]
    assert names[0] == "#answer" and names[1:4] == ["#do", "#map", "#lines"]
    assert all(one["seen"] for one in seen), [one for one in seen if not one["seen"]]
    tops = [one["top"] for one in seen[1:]]
    assert all(after > before - 60 for before, after in zip(tops, tops[1:], strict=False))
    ports = [name for name in names if re.fullmatch(r"#l\d+", name) and names.index(name) < names.index("search")]
    assert len(ports) == 1, "the map is one stop"
    after = names[names.index("search"):]
    assert after[1] == "select-one" and after[2] == "reset" and after.count("region") == 3 and len([name for name in after if name == "button"]) >= 12


def test_the_map_by_keyboard_and_by_mouse(watched):
    watched.show(PAGE, features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    browser = watched.browser
    tip = TIP.format("document.activeElement")
    ports = browser.evaluate("[...document.querySelectorAll('.grid a b')].map((one) => one.textContent)")
    browser.evaluate("document.querySelector('.skip').focus()")
    while not re.fullmatch(r"#l\d+", watched.focused()["name"]):
        watched.press("Tab")

    def at() -> str:
        return browser.evaluate("document.activeElement.querySelector('b').textContent")

    assert at() == ports[0] and browser.evaluate(tip)
    walk = {"ArrowRight": ports[1], "ArrowDown": ports[11], "ArrowLeft": ports[10], "ArrowUp": ports[0], "End": ports[-1], "Home": ports[0]}
    for key, port in walk.items():
        watched.press(key)
        assert at() == port, key
        assert browser.evaluate(tip), key
    watched.press("Escape")
    assert not browser.evaluate(tip), "the details can be put away"
    watched.press("ArrowRight")
    assert browser.evaluate(tip)
    browser.evaluate("document.activeElement.blur()")
    box = browser.evaluate("(() => { const b = document.querySelector('.grid li:nth-child(10) a').getBoundingClientRect(); return [b.x + 9, b.y + 9] })()")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    assert browser.evaluate(TIP.format("document.querySelector('.grid li:nth-child(10)')"))
    watched.click("#lines input")
    browser.type("#lines input", "nobody is called this")
    watched.click(".grid a")
    browser.wait("document.querySelector('tr:target') && !document.querySelector('tr:target').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("text", [PAGE, INDEX], ids=["site", "index"])
def test_contrast_of_every_text_by_day_and_by_night(watched, text, scheme):
    watched.show(text, features=[{"name": "prefers-color-scheme", "value": scheme}])
    watched.browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    back = watched.browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", back))) > 384) is (scheme == "light")
    result = watched.browser.evaluate(LOW_CONTRAST)
    assert result["measured"] > 60 and not result["found"]


def test_a_text_that_can_not_be_read_is_seen(watched):
    watched.show("<body style='background:#fff'><p style='color:#999'>grey")
    assert watched.browser.evaluate(LOW_CONTRAST)["found"][0][0] == "grey"


@pytest.mark.parametrize("width", [320, 375, 768, 1024, 1280, 1400, 1920])
def test_no_page_is_wider_than_the_screen(watched, width):
    for text in (PAGE, INDEX, render_site(REPORT, REPORT["sites"][1])):
        watched.show(text, width=width)
        assert watched.browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.parametrize("width", [320, 375, 768, 1280, 1920])
def test_details_of_a_port_stay_on_the_screen(watched, width):
    dense = sample_report(3, 900)["sites"][2]
    dense["range"].update(last=6500)
    for n, line in enumerate(dense["lines"]):
        line["planned"] = line["planned"] and 5060 + 2 * (n % 721)
    for site, kind in ((SITE, "roomy"), (dense, "dense")):
        watched.show(render_site(REPORT, site), width=width, features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        watched.press("Tab")
        assert watched.browser.evaluate(f"document.querySelectorAll('.grid.{kind}').length") == 1
        off = watched.browser.evaluate("""[...document.querySelectorAll('#map a')].slice(0, 200).map((one) => {
            one.focus(); const b = one.querySelector('.tip').getBoundingClientRect(); return [one.textContent.slice(0, 9), b.left, b.right, b.width] })
            .filter(([port, left, right, width]) => left < 0 || right > document.documentElement.clientWidth || width < 60)""")
        assert not off


def test_without_a_script_everything_can_be_read(watched):
    watched.browser.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        watched.show(PAGE)
        assert not watched.browser.evaluate("document.documentElement.classList.contains('js')")
        assert len(watched.shown("table-lines", 0)) == 40
        for selector in ("#answer .sentence", ".grid .cell", "#findings article", "#table-lines tbody tr", "#table-phones", "#trend"):
            assert watched.browser.evaluate(f"document.querySelector('{selector}').checkVisibility()"), selector
        assert not watched.browser.evaluate("document.querySelector('form').checkVisibility()"), "what would not work is not shown"
        assert watched.browser.evaluate("document.querySelectorAll('.grid a').length == document.querySelectorAll('.grid a:not([tabindex])').length")
    finally:
        watched.browser.call("Emulation.setScriptExecutionDisabled", value=False)


def test_on_paper(watched):
    """A4, whatever the screen's colours are; no controls; what is folded on the screen is open."""
    browser = watched.browser
    watched.show(PAGE, width=703, media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for selector in ("form", "nav", "summary", ".tip"):
        assert not browser.evaluate(f"document.querySelector('{selector}').checkVisibility()"), selector
    assert browser.evaluate("document.querySelector('.words dl').checkVisibility({contentVisibilityAuto: true})")
    assert browser.evaluate("document.querySelector('.words dd').offsetHeight") > 5
    assert browser.evaluate("document.documentElement.scrollWidth") <= 703
    watched.show(INDEX, width=703, media="print")
    assert browser.evaluate("document.querySelector('table').getBoundingClientRect().right < document.querySelector('#sites').getBoundingClientRect().right")
    watched.show(PAGE, features=[{"name": "prefers-color-scheme", "value": "dark"}])
    pdf = base64.b64decode(browser.call("Page.printToPDF", preferCSSPageSize=True)["data"])
    pages = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert pdf.startswith(b"%PDF") and 2 <= len(pages) <= 20
    assert all((round(float(width)), round(float(height))) in ((595, 842), (596, 842), (595, 843), (596, 843)) for width, height in pages)


def test_what_moves_stands_still_for_those_who_ask(watched):
    watched.show(PAGE, features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    assert watched.browser.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"


def large_site(lines: int, phones: int) -> dict[str, Any]:
    """One site of so many phones with as many lines each; every line has a port of its own."""
    site = sample_report(3, lines)["sites"][2]
    managed = [line for line in site["lines"] if line["kind"] == "phone"]
    each = lines // phones
    for n, line in enumerate(managed):
        line.update(phone=site["phones"][n // each]["phone"], line=n % each + 1, planned=5060 + 2 * n)
    site.update(phones=site["phones"][:phones], range={"first": 5060, "last": 5060 + 2 * (lines - 1), "step": 2})
    return site


def test_five_thousand_lines(watched):
    started = time.monotonic()
    text = render_site(REPORT, large_site(5000, 1000))
    rendered = time.monotonic() - started
    loaded = watched.show(text)
    browser = watched.browser
    assert len(watched.shown("table-lines", 0)) == 5000
    filtered = browser.evaluate("""(() => { const t = performance.now(), i = document.querySelector('#lines input');
        i.value = 'yealink'; i.dispatchEvent(new Event('input')); document.body.offsetHeight; return performance.now() - t })()""")
    ordered = browser.evaluate("""(() => { const t = performance.now(); document.querySelector('#table-lines th:nth-child(7) button').click();
        document.body.offsetHeight; return performance.now() - t })()""")
    print(f"5,000 lines, 1,000 phones: {len(text.encode()) / 1e6:.1f} MB, rendered in {rendered:.2f} s, loaded in {loaded:.0f} ms, "
          f"filtered in {filtered:.0f} ms, sorted in {ordered:.0f} ms")
    assert len(text.encode()) < 12e6 and loaded < 30000 and filtered < 10000 and ordered < 10000 and not watched.done


def test_a_thousand_sites(watched):
    report = sample_report(1000, 5)
    started = time.monotonic()
    text = render_index(report, {site["site"]: f"{site['site']}.html" for site in report["sites"]})
    rendered = time.monotonic() - started
    loaded = watched.show(text)
    assert len(watched.shown("table-sites", 0)) == 1000
    watched.click("#sites input")
    watched.browser.type("#sites input", "customer_00042")
    assert watched.shown("table-sites", 0) == ["customer_00042_office"]
    print(f"1,000 sites: {len(text.encode()) / 1e6:.2f} MB, rendered in {rendered:.2f} s, loaded in {loaded:.0f} ms")
    assert len(text.encode()) < 4e6 and loaded < 30000


def test_a_row_of_the_index_leads_to_the_page_of_its_site(watched):
    name = SITE["site"]
    (watched.folder / f"{name}.html").write_text(PAGE, encoding="utf-8")
    watched.show(INDEX)
    watched.click(f"#table-sites a[href='./{name}.html']")
    watched.browser.wait(f"document.title == '{name}: SIP ports'")
