# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing from a report: some sites, what a JMESPath asks for, and the findings that make a run fail. Pure."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.errors import EvenportError, PlanError
from ansible_collections.evenport.sip.plugins.plugin_utils.report.texts import one_line

try:
    import jmespath
    from jmespath.exceptions import ArityError, JMESPathTypeError, ParseError
except ImportError:                             # pragma: no cover - ansible-test imports without third-party libraries
    jmespath = None

SEVERITIES = ("error", "warning", "info")       # the worst first
NEW = "new"
LONGEST = 2000          # characters of an expression; a real one has a hundred
NAMED = 8               # of so many sites a sentence tells how many findings each has


def only_sites(report: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The report of these sites alone, in the report's order: what a customer may receive. Every format is rendered from this."""
    wanted = set(names)
    return {**report, "sites": [site for site in report["sites"] if site["site"] in wanted]}


def where(expression: str, report: Mapping[str, Any]) -> Any:
    """What the JMESPath *expression* finds in *report*: any JSON value, None for nothing.

    PlanError names the place in the expression where it can't be read, or the function that can't work on what it is given.
    """
    compiled = readable(expression)
    try:
        found = compiled.search(report)
        json.dumps(found)                       # "&name" finds an expression, which is no value
    except (ValueError, TypeError, RecursionError) as error:        # all that jmespath raises; some of it is Python's own
        raise _refused(expression, error) from error
    return found


def readable(expression: str) -> Any:
    """The compiled *expression*; PlanError where it can't be read. Whether its functions fit shows on a report only."""
    if jmespath is None:
        raise EvenportError("The Python library jmespath is missing on the machine that runs this task.", "Run: pip install jmespath")
    if len(expression) > LONGEST:
        raise PlanError(f"where: the expression has {len(expression)} characters, more than {LONGEST}.")
    try:
        return jmespath.compile(expression)
    except (ValueError, TypeError, RecursionError) as error:
        raise _refused(expression, error) from error


def sites_of_value(found: Any, report: Mapping[str, Any]) -> list[str]:
    """The names of the sites that an expression has found, as sites or as their names; [] where it has found something else, or none."""
    names = [site.get("site") if isinstance(site, Mapping) and "counts" in site else site for site in found] if isinstance(found, list) else []
    known = {site["site"] for site in report["sites"]}
    return names if all(isinstance(name, str) and name in known for name in names) else []


def _refused(expression: str, error: Exception) -> PlanError:
    return PlanError(f'where: "{one_line(expression, 200)}" {_fault(error, expression)}.', "The fields are those of docs/report.schema.json.")


def _fault(error: Exception, expression: str) -> str:
    """The rest of a sentence that begins with the expression. Never the report's own data, which jmespath's messages are full of."""
    if isinstance(error, JMESPathTypeError):
        wanted = " or ".join(map(str, error.expected_types))
        return f"gives {error.function_name}() at character {_place(error.function_name, expression)} a value of type {error.actual_type} instead of {wanted}"
    if isinstance(error, ArityError):
        return (f"gives {error.function_name}() at character {_place(error.function_name, expression)} {error.actual_arity} argument(s) "
                f"instead of {error.expected_arity}")
    if isinstance(error, ParseError):
        place = min(error.lex_position, len(expression)) + 1
        rest = expression[place - 1:place + 19]
        return f"can't be read at character {place}" + (f', at "{one_line(rest)}"' if rest else ", where it ends too early")
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    known = str(error).partition("\n")[0]
    if known.startswith("Unknown function: "):
        name = known.removeprefix("Unknown function: ").removesuffix("()")
        return f"calls {name}() at character {_place(name, expression)}, which is no function of JMESPath"
    return f"can't be applied to the report: {one_line(known, 100)}"


def _place(name: str, expression: str) -> int:
    return expression.find(f"{name}(") + 1


def fail_on(words: Sequence[str], report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings that make the run fail, each with its site; none for no words.

    A word is a code, or a severity, which stands for itself and what is worse. "new" narrows the rest to what the previous report did not have;
    alone it means new errors and warnings. Without a previous report every finding counts as new: a first run must not pass for want of one.
    """
    refuse_unknown(words)
    chosen = set(words)
    only_new = NEW in chosen and bool(report["previous_at"])
    if chosen == {NEW}:
        chosen.add("warning")
    severities = {severity for n, severity in enumerate(SEVERITIES) if chosen & set(SEVERITIES[n:])}
    return [
        {"site": site["site"], **finding} for site in report["sites"] for finding in site["findings"]
        if (finding["severity"] in severities or finding["code"] in chosen) and (not only_new or finding["trend"] == NEW)]


def failure(words: Sequence[str], found: Sequence[Mapping[str, Any]]) -> str:
    """One sentence: how many of *found* (by fail_on) have which code at which sites; "" for none."""
    if not found:
        return ""
    counts: dict[str, Counter[str]] = {}
    for finding in found:
        counts.setdefault(finding["code"], Counter())[finding["site"]] += 1
    told = "; ".join(f"{code}: {_at_sites(sites)}" for code, sites in counts.items())
    return f"{len(found)} finding(s) that fail_on ({', '.join(words)}) names: {told}. The report says what to do."


def _at_sites(sites: Mapping[str, int]) -> str:
    named = ", ".join(f"{count} at {one_line(site)}" for site, count in list(sites.items())[:NAMED])
    return f"{named} and {sum(list(sites.values())[NAMED:])} at {len(sites) - NAMED} more sites" if len(sites) > NAMED else named


def refuse_unknown(words: Sequence[str]) -> None:
    """PlanError for a word that fail_on doesn't know, with those that it may have been meant to be."""
    known = [*SEVERITIES, NEW, *(code for code in MEANINGS if code != "ok")]
    for word in words:
        if word not in known:
            near = difflib.get_close_matches(str(word).lower(), known, n=3, cutoff=0.5)
            raise PlanError(
                f'fail_on: "{one_line(str(word), 60)}" is no code and no severity.',
                f"Did you mean {' or '.join(near)}?" if near else f"Severities are {', '.join(SEVERITIES)}; the codes are in docs/findings.md.")
