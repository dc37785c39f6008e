"""The style's colours by day and night, measured as WCAG 2.2 does. The finished page is measured too: tests/integration/test_report_page.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.evenport.sip.plugins.plugin_utils.report import page
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page_words import COUNTS, SIGNS, TONES

STYLE = Path(page.__file__).with_name("style.css").read_text(encoding="utf-8")
PARTS = Path(page.__file__).with_name("parts.html.j2").read_text(encoding="utf-8")
DAY, NIGHT = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{\n(.*?)\}", STYLE, re.DOTALL)[:2])
TONED = (*TONES, "clash")
TEXT, SHAPE = 4.5, 3.0          # WCAG AA: 1.4.3 for texts, 1.4.11 for what must be seen to understand


def luminance(colour):
    parts = [int(colour[n:n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_measure():
    assert contrast("#ffffff", "#000000") == pytest.approx(21) and contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("colours", [DAY, NIGHT], ids=["day", "night"])
def test_texts_and_shapes_can_be_seen(colours):
    assert set(colours) == set(DAY)
    pairs = [(text, back, TEXT) for text in ("ink", "soft", "link") for back in ("page", "card")]
    pairs += [(text, f"{tone}-back", TEXT) for tone in TONED for text in ("ink", tone)] + [(tone, "card", TEXT) for tone in TONED]
    pairs += [("focus", "page", SHAPE), ("focus", "card", SHAPE), ("link", "info-back", TEXT), ("soft", "info-back", TEXT)]
    pairs += [(f"{tone}-edge", back, SHAPE) for tone in TONED for back in ("card", f"{tone}-back")]
    low = {(one, other): round(contrast(colours[one], colours[other]), 2) for one, other, least in pairs if contrast(colours[one], colours[other]) < least}
    assert not low


def test_every_tone_sign_and_count_is_in_the_style():
    signs = {*TONES, *SIGNS.values(), *(sign for dummy, sign, unused in COUNTS), "guest", "reserved", "retired", "free"}
    assert {f's-{sign}' for sign in signs} == set(re.findall(r'<symbol id="([\w-]+)"', PARTS))
    for name in (*(f".t-{tone}" for tone in (*TONED, "reserved", "retired", "free")), *(f".g-{group}" for group, dummy, unused in COUNTS)):
        assert re.search(rf"{re.escape(name)}\b", STYLE), name


def test_no_two_tones_differ_in_colour_alone():
    """Each has a drawing of its own."""
    drawings = dict(re.findall(r'<symbol id="s-([\w-]+)" viewBox="0 0 16 16">(.*?)</symbol>', PARTS))
    assert len(set(drawings.values())) == len(drawings) >= 11
    assert len(set(DAY.values())) >= 20
