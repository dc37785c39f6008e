# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A PBX's web API: the session that phones are driven by, over https only, and with a PBX's words in what goes wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.evenport.sip.plugins.module_utils.errors import BadAnswer, CertificateRefused, EvenportError, Unreachable
from ansible_collections.evenport.sip.plugins.module_utils.http.answer import Answer
from ansible_collections.evenport.sip.plugins.module_utils.http.reach import Reach
from ansible_collections.evenport.sip.plugins.module_utils.http.session import WebSession
from ansible_collections.evenport.sip.plugins.module_utils.pbx.access import Access

LIMIT = 32 * 1024 * 1024                # bytes of an answer; a list of 5,000 extensions with all their settings is about 10 MB


class PbxWeb:
    """One web session with a PBX. *access*: its timeout counts for connecting and for each whole answer. There is no http, ever.

    *variables*: what the names of the inventory variables for this interface start with, for remedies
    """

    def __init__(self, access: Access, name: str, variables: str = "sip_pbx_") -> None:
        self._variables, self._pinned = variables, bool(access.fingerprint)
        with self._words():
            self._web = WebSession(Reach(
                name, access.host, "https", access.port, access.validate_certs, access.ca_path, access.fingerprint,
                timeout=access.timeout, deadline=access.timeout, limit=LIMIT))

    def send(self, method: str, path: str, data: Any = None, *, query: Mapping[str, str] | None = None,
             headers: Mapping[str, str] | None = None) -> Answer:
        """Send one request, *data* as JSON (None: no body), and read the whole answer, whatever its status.

        :raises Unreachable: no connection, or (Dropped) it ended without an answer; CertificateRefused: with the fingerprint that it shows
        """
        kind = {} if data is None else {"Content-Type": "application/json"}
        with self._words():
            return self._web.request(method, path, query, body=json.dumps(data).encode("ascii") if kind else None, headers={**kind, **(headers or {})})

    def json(self, answer: Answer) -> Any:
        """An answer's body as JSON.  :raises BadAnswer: it is none"""
        with self._words():
            return answer.json()

    def close(self) -> None:
        self._web.close()

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        """The sessions' own remedies are for phones: they name other variables, and http as a way out."""
        try:
            yield
        except EvenportError as error:
            error.remedy = self._remedy(error)
            error.args = (f"{error.what} {error.remedy}",)
            raise

    def _remedy(self, error: EvenportError) -> str:
        name = self._variables
        if isinstance(error, CertificateRefused) and self._pinned:
            return f"If the PBX has a new certificate, set {name}fingerprint: {error.fingerprint}; otherwise find out who answers there."
        if isinstance(error, CertificateRefused):
            return f"If it is the PBX's own, pin it: {name}fingerprint: {error.fingerprint}; or give its CA with {name}ca_path."
        if isinstance(error, Unreachable):
            return f"Is the PBX up, and does its API listen there for this machine? Check {name}host and {name}port."
        if isinstance(error, BadAnswer):
            return f"Is this really the PBX's API? Check {name}host and {name}port; if the PBX is busy, raise sip_pbx_timeout."
        return error.remedy.replace("sip_phone_", name).replace("ansible_host", f"{name}host").replace("phone", "PBX")
