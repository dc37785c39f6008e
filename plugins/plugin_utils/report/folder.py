# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of reports: one folder for each site, which a customer may have, and the index of all sites beside them.

A site's files are rendered from that site's report alone. The last ``report.json`` there is what the next run is compared with.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.rollout.files import json_text, read_report, write_text
from ansible_collections.evenport.sip.plugins.plugin_utils.report.junit import junit
from ansible_collections.evenport.sip.plugins.plugin_utils.report.markdown import markdown
from ansible_collections.evenport.sip.plugins.plugin_utils.report.page import render_index, render_site
from ansible_collections.evenport.sip.plugins.plugin_utils.report.select import only_sites
from ansible_collections.evenport.sip.plugins.plugin_utils.report.tables import findings_csv, lines_csv
from ansible_collections.evenport.sip.plugins.plugin_utils.report.trend import with_trend

FORMATS = ("json", "html", "csv", "junit", "markdown")

Report = dict[str, Any]


def folder_names(sites: Iterable[str]) -> dict[str, str]:
    """site -> the name of its folder: the site's own where it has only letters, digits, ``_`` and ``-``.

    Any other name is made safe and told apart by a piece of its hash; so are names that differ in case only, which a Mac takes for one folder.
    """
    sites = list(sites)
    alike = Counter(site.casefold() for site in sites)
    return {site: site if re.fullmatch(r"[A-Za-z0-9_-]{1,100}", site) and alike[site.casefold()] == 1 else _hashed(site) for site in sites}


def _hashed(site: str) -> str:
    mark = hashlib.sha256(site.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '_', site)[:80]}-{mark}"


def compared_with_file(report: Report, path: str) -> tuple[Report, dict[str, Report], list[str]]:
    """(the report with its trend, site -> the report of this site alone, notes), compared with one file."""
    previous, why = read_report(path)
    notes = [f"Compared with nothing: {why or f'there is no {path} yet'}."] if previous is None else []
    whole, more = with_trend(report, previous)
    return whole, {site["site"]: only_sites(whole, [site["site"]]) for site in whole["sites"]}, notes + more


class ReportFolder:
    """*directory* with a folder for each of *sites*, in which files of *formats* are kept."""

    def __init__(self, directory: str, formats: Collection[str], sites: Iterable[str]) -> None:
        self.top = Path(directory)
        self.formats = formats
        self.names = folder_names(sites)

    def compared(self, report: Report) -> tuple[Report, dict[str, Report], list[str]]:
        """(the report with its trend, site -> the report of this site alone, notes). Each site is compared with its own last report.

        In the whole report a site without a last report of its own is new where others have one.
        """
        alone, notes = {}, []
        for site in (site["site"] for site in report["sites"]):
            path = str(self.top / self.names[site] / "report.json")
            previous, why = read_report(path)
            alone[site], more = with_trend(only_sites(report, [site]), previous)
            notes += [f"{site} is compared with nothing: {why}."] if why else [f"{path}: {note}" for note in more]
        previous_at = max((one["previous_at"] for one in alone.values()), default="")
        sites = []
        for one in alone.values():
            (site,) = one["sites"]
            is_new = previous_at and not one["previous_at"]
            sites.append({**site, "findings": [{**finding, "trend": "new"} for finding in site["findings"]]} if is_new else site)
        return {**report, "previous_at": previous_at, "sites": sites}, alone, notes

    def write(self, whole: Report, alone: Mapping[str, Report], partly: Collection[str], known: Collection[str]) -> tuple[list[str], list[str]]:
        """Write all files. Returns (notes, what could not be written and why): one site's trouble is not another's.

        *partly*: sites of which this run has not seen all phones: their files and the index stay as they are. *known*: all sites of the
        inventory; the index stays as it is too where this run has left out one that is in it.
        """
        jobs = {f"The report of {site}": (self._write_site, site, report) for site, report in alone.items() if site not in partly}
        if "junit" in self.formats:     # the run's own test results, whatever it has seen
            jobs["junit.xml"] = (write_text, self.top / "junit.xml", junit(whole))
        notes = [f"This run has not seen all phones of {site}, so the files of {site} stay as they are." for site in partly]
        missing = [*partly, *(site for site in self._in_index() if site in known and site not in alone)]
        if missing:
            notes.append(f"This run has not seen all of {', '.join(missing[:6])}{' and more' if len(missing) > 6 else ''}, so the index stays as it is.")
        else:
            jobs["The index"] = (self._write_index, whole)
        troubles = []
        for what, (write, *arguments) in jobs.items():
            try:
                write(*arguments)
            except OSError as error:
                troubles.append(f"{what} was not written: {error.strerror or error} ({error.filename or self.top}).")
        return notes, troubles

    def _write_site(self, site: str, report: Report) -> None:
        """The last ``report.json`` stays as ``previous.json``."""
        for name, text in site_files(report, self.formats).items():
            path = self.top / self.names[site] / name
            if name == "report.json" and path.exists() and path.read_bytes() != text.encode():
                write_text(path.with_name("previous.json"), path.read_text(encoding="utf-8", errors="replace"))
            write_text(path, text)

    def _write_index(self, whole: Report) -> None:
        if "json" in self.formats:
            write_text(self.top / "index.json", json_text(whole))
        if "html" in self.formats:
            write_text(self.top / "index.html", render_index(whole, {site: f"{name}/report.html" for site, name in self.names.items()}))

    def _in_index(self) -> list[str]:
        """The sites of the index that is there."""
        index, dummy = read_report(str(self.top / "index.json"))
        sites = index.get("sites") if isinstance(index, dict) else None
        return [site["site"] for site in sites if isinstance(site, dict) and isinstance(site.get("site"), str)] if isinstance(sites, list) else []


def site_files(report: Report, formats: Collection[str]) -> dict[str, str]:
    """file name -> its text."""
    files = {}
    if "json" in formats:
        files["report.json"] = json_text(report)
    if "html" in formats:
        files["report.html"] = render_site(report, report["sites"][0])
    if "csv" in formats:
        files.update({"lines.csv": lines_csv(report), "findings.csv": findings_csv(report)})
    if "junit" in formats:
        files["junit.xml"] = junit(report)
    if "markdown" in formats:
        files["report.md"] = markdown(report)
    return files
