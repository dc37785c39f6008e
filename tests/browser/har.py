# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What "Save all as HAR with content" of the developer tools does: the page's requests as HAR 1.2, from the events of the Network domain."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.browser.devtools import Browser


class Recorder:
    """Attach it to a browser before the first page is opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._lock = threading.Lock()
        self._requests: dict[str, dict[str, Any]] = {}
        browser.listeners.append(self._event)

    def har(self, sanitized: bool = False) -> dict[str, Any]:
        """:arg sanitized: as Chromium exports it by default: without cookies and authorization"""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any("body" not in one for one in list(self._requests.values()) if "response" in one and "failed" not in one):
            time.sleep(0.02)
        with self._lock:
            entries = [_entry(one, sanitized) for one in self._requests.values() if "response" in one and "request" in one]
        return {"log": {"version": "1.2", "creator": {"name": "evenport.sip tests", "version": "1"}, "pages": [], "entries": entries}}

    def _event(self, method: str, params: dict[str, Any]) -> None:
        number = params.get("requestId")
        if not method.startswith("Network.") or number is None:
            return
        with self._lock:
            kept = self._requests.setdefault(number, {})
            if method == "Network.requestWillBeSent":
                kept.update(request=params["request"], time=params["wallTime"])
            elif method == "Network.requestWillBeSentExtraInfo":
                kept["sent"] = params["headers"]
            elif method == "Network.responseReceived":
                kept["response"] = params["response"]
            elif method == "Network.responseReceivedExtraInfo":
                kept["received"] = params["headers"]
            elif method == "Network.loadingFailed":
                kept["failed"] = True
        if method == "Network.loadingFinished":
            self._browser.send("Network.getResponseBody", {"requestId": number}, lambda answer: kept.update(body=answer.get("result", {})))


def _entry(kept: dict[str, Any], sanitized: bool) -> dict[str, Any]:
    request, response = kept["request"], kept["response"]
    hidden = ("cookie", "set-cookie", "authorization") if sanitized else ()
    sent = _headers({**request["headers"], **kept.get("sent", {})}, hidden)
    received = _headers({**response["headers"], **kept.get("received", {})}, hidden)
    content = {"size": 0, "mimeType": response.get("mimeType", "")}
    body = kept.get("body") or {}
    if "body" in body:
        content |= {"text": body["body"], **({"encoding": "base64"} if body.get("base64Encoded") else {})}
    entry = {
        "startedDateTime": datetime.fromtimestamp(kept["time"], UTC).isoformat(),
        "time": 1,
        "request": {
            "method": request["method"],
            "url": request["url"],
            "httpVersion": "HTTP/1.1",
            "headers": sent,
            "cookies": [],
            "headersSize": -1,
            "bodySize": -1,
            "queryString": [{"name": name, "value": value} for name, value in parse_qsl(urlsplit(request["url"]).query)],
        },
        "response": {
            "status": response["status"],
            "statusText": response.get("statusText", ""),
            "httpVersion": "HTTP/1.1",
            "headers": received,
            "cookies": [],
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": 1, "receive": 0},
    }
    if request.get("postData"):
        kind = next((one["value"] for one in sent if one["name"].lower() == "content-type"), "")
        entry["request"]["postData"] = {"mimeType": kind, "text": request["postData"]}
    return entry


def _headers(headers: dict[str, str], hidden: tuple[str, ...]) -> list[dict[str, str]]:
    """Names that differ in their case only are one header; one line of Set-Cookie each."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in headers.items():
        found[name.lower()] = (name, value)
    return [{"name": name, "value": line} for key, (name, value) in found.items() if key not in hidden for line in value.split("\n")]
