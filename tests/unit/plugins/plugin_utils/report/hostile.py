"""Texts that no phone should call itself, and reports full of them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.unit.plugins.plugin_utils.report.sample import HOSTILE, sample_report

_FRAGMENTS = (
    *HOSTILE, "|", "\\", "`", "``", "<", ">", "&", "&#124;", "&lt;", "*", "**", "_", "[", "]", "(", ")", "!", "#", "@", "://", "www.", "~~", "$", "\n", "\r",
    "\t", " ", ";", ",", '"', "'", "=", "+", "-", "1. ", "- ", "    ", "---", "x", "é", "\ud800", "\x00", "\x1b", "\u2028", "\u202e",
    "]]>", "<!--", "-->", "http", "a@b.c", "\uff1d", "0",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=40), st.lists(st.sampled_from(_FRAGMENTS), max_size=8).map("".join))

FREE = {
    "site": ("sentence",), "pbxs": ("pbx", "type", "why"), "phones": ("brand", "model", "firmware", "address", "why"),
    "lines": ("extension", "seen_address", "transport", "user_agent", "this_run"), "findings": ("cause", "evidence", "text", "remedy"), "fixed": ("text",),
}


def full_of(texts: list[str], sites: int = 2, lines: int = 14) -> dict[str, Any]:
    """A sample report with *texts* in turn wherever a text is free; names of phones and sites too, which stay different from each other."""
    report = sample_report(sites, lines)
    count = 0

    def one() -> str:
        nonlocal count
        count += 1
        return texts[count % len(texts)]

    for n, site in enumerate(report["sites"]):
        names = {phone["phone"]: f"{one()}{n}/{number}" for number, phone in enumerate(site["phones"])}
        site.update({key: one() for key in FREE["site"]}, site=f"{one()}{n}", not_seen=[one(), one()])
        for key in ("pbxs", "phones", "lines", "findings", "fixed"):
            for item in site[key]:
                item.update({free: one() for free in FREE[key]})
                if item.get("phone"):
                    item["phone"] = names.get(item["phone"], item["phone"])
                if "lines" in item:
                    item["lines"] = [f"{site['site']}/{one()} line 1" for dummy in item["lines"]]
    return report
