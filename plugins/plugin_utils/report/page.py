# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as HTML: one page for a site, and an index of the sites. Each is one file that opens from a disk, without a network. Pure.

What a phone calls itself is hostile. Jinja2 escapes every text; control characters and marks of writing direction never get that far (one_line); and
a Content-Security-Policy lets the browser run this script and apply this style, by their hashes, and load nothing at all. The script is handed no
data: it sorts and filters the table that is there, by text. Without a script everything can be read.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import STATES as WORST_LAST
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_site import site_view
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_words import (
    COUNTS,
    RUNS,
    STATES,
    age_seconds,
    age_words,
    number_of,
    site_sign,
    site_tone,
    when,
)
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

_HERE = Path(__file__).parent


def render_site(report: Mapping[str, Any], site: Mapping[str, Any]) -> str:
    """The page of *site*, one of the report's sites (the dictionary itself). It tells nothing of any other site: a customer may have it."""
    return _templates().get_template("site.html.j2").render(report=report, site=site, view=site_view(report, site), **_page())


def render_index(report: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The fleet: a row for each site, the worst first. *names*: site -> file name of its page, in the same folder; a site without one has no link."""
    rows = [_index_row(report, site, names.get(site["site"], "")) for site in report["sites"]]
    rows.sort(key=lambda row: (-row["badness"], -row["site"]["counts"]["errors"], -row["site"]["counts"]["warnings"]))      # stable: inventory order within
    return _templates().get_template("index.html.j2").render(report=report, rows=rows, total=_total(rows), columns=COUNTS, **_page())


def _index_row(report: Mapping[str, Any], site: Mapping[str, Any], name: str) -> dict[str, Any]:
    ages = [age_seconds(pbx["as_of"], report["made_at"]) or 0 for pbx in site["pbxs"] if pbx["read"]]
    return {
        "site": site, "href": f"./{quote(name, errors='replace')}" if name else "",
        "badness": WORST_LAST.index(site["state"]), "tone": site_tone(site), "sign": site_sign(site),
        "new": sum(finding["trend"] == "new" for finding in site["findings"]), "still": sum(finding["trend"] == "still" for finding in site["findings"]),
        "fixed": len(site["fixed"]), "age": max(ages, default=-1), "age_words": age_words(max(ages)) if ages else "not read",
    }


def _total(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The fleet in one sentence, and in numbers."""
    tones = [row["tone"] for row in rows]
    good, unseen = tones.count("ok") + tones.count("info"), tones.count("unseen")
    bad = len(rows) - good - unseen
    if bad:
        text = f"{bad:,} of {number_of(len(rows), 'site')} {'needs' if bad == 1 else 'need'} somebody's attention."
    else:
        text = f"All {number_of(good, 'site')} that could be seen {'is' if good == 1 else 'are'} in order." if good else "No site could be seen."
    if unseen and (bad or good):
        text += f" {number_of(unseen, 'site')} could not be fully seen."
    tone = "error" if "error" in tones else "warning" if bad else "ok" if good and not unseen else "unseen"
    counts = {key: sum(row["site"]["counts"][key] for row in rows) for key in ("lines", *(group for group, dummy, unused in COUNTS), "unmanaged")}
    return {"text": text, "tone": tone, "counts": counts, **{key: sum(row[key] for row in rows) for key in ("new", "still", "fixed")}}


@cache
def _templates() -> Environment:
    def shown(value: Any) -> Any:
        return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, finalize=shown, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    environment.filters.update(when=when, number_of=number_of)
    return environment


@cache
def _page() -> dict[str, Any]:
    """What both pages share: style and script with the policy that allows just these."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("style.css", "page.js"))
    policy = f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    return {"style": Markup(style), "script": Markup(script), "policy": policy, "states": STATES, "runs": RUNS}


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
