# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Chromium that a test clicks through, over the DevTools protocol and a pair of pipes (no port, no further library)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

from tests.browser import chromium

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--no-zygote",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--mute-audio",
    "--remote-debugging-pipe",
)
PATIENCE = 20           # seconds for one answer, or for a page to get where a test waits for it

# Chromium reads commands from descriptor 3 and answers on 4.
_START = ("import fcntl, os, sys; high = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]]; "
          "os.dup2(high[0], 3); os.dup2(high[1], 4); [os.close(one) for one in high]; os.execv(sys.argv[3], sys.argv[3:])")


class BrowserError(Exception):
    """What the browser, or the page in it, did not do."""


class Browser:
    """``with Browser() as browser: browser.open(url); browser.type("#user", "admin"); browser.click("#enter"); browser.wait("...")``.

    ``listeners`` are called with (method, params) of every event of the page, in the reading thread: they must not wait for answers.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self._profile = tempfile.mkdtemp(prefix="evenport-browser-")
        self._lock = threading.Lock()
        self._number = 0
        self._waiting: dict[int, Callable[[dict[str, Any]], None]] = {}
        self._session = ""

    def __enter__(self) -> Browser:
        words, environment = chromium.command()
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        env = {**os.environ, **environment, "HOME": self._profile, "LC_ALL": "C.UTF-8"}
        self._log = open(os.path.join(self._profile, "log"), "w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, str(theirs_in), str(theirs_out), *words, *FLAGS, f"--user-data-dir={self._profile}/data", "about:blank"],
            pass_fds=(theirs_in, theirs_out),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._attach()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _attach(self) -> None:
        deadline = time.monotonic() + PATIENCE
        pages: list[dict[str, Any]] = []
        while not pages:
            pages = [one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page"]
            if not pages and time.monotonic() > deadline:
                raise BrowserError("no page")
            time.sleep(0 if pages else 0.05)
        self._session = self.call("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def __exit__(self, *dummy: Any) -> None:
        for close in (self._out, ):
            os.close(close)                     # the browser ends with its pipe
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        self._log.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    # ------------------------------------------------------------------ what a person does

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def click(self, selector: str) -> None:
        """A press of the mouse's left button on the middle of the element."""
        self.wait(f"document.querySelector({json.dumps(selector)})")
        box = self.evaluate(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] }})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Replace what stands in a field, as by the keyboard."""
        self.click(selector)
        self.evaluate(f"document.querySelector({json.dumps(selector)}).select()")
        self.call("Input.insertText", text=text)

    def wait(self, expression: str) -> Any:
        """What a JavaScript expression gives, once that is something."""
        deadline = time.monotonic() + PATIENCE
        while not (value := self.evaluate(f"!!({expression})")):
            if time.monotonic() > deadline:
                raise BrowserError(f"waited for {expression}; the page shows {self.evaluate('document.body.innerText')!r}")
            time.sleep(0.03)
        return value

    def evaluate(self, expression: str) -> Any:
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{expression}: {result['exceptionDetails'].get('text')}")
        return result["result"].get("value")

    # ------------------------------------------------------------------ protocol

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command and its answer."""
        done, box = threading.Event(), []
        self.send(method, params, lambda answer: (box.append(answer), done.set()))
        if not done.wait(PATIENCE):
            raise BrowserError(f"no answer to {method}: {self._said()}")
        if "error" in box[0]:
            raise BrowserError(f"{method}: {box[0]['error'].get('message')}")
        return box[0]["result"]

    def send(self, method: str, params: dict[str, Any], answered: Callable[[dict[str, Any]], Any]) -> None:
        """One command; *answered* is called in the reading thread."""
        with self._lock:
            self._number += 1
            self._waiting[self._number] = answered
            message = {"id": self._number, "method": method, "params": params, **({"sessionId": self._session} if self._session else {})}
            data = json.dumps(message).encode() + b"\0"
            while data:
                data = data[os.write(self._out, data):]

    def _read(self) -> None:
        rest = b""
        while (piece := os.read(self._in, 1 << 16)):
            *messages, rest = (rest + piece).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._waiting.pop(message["id"], lambda dummy: None)(message)
                else:
                    for listener in self.listeners:
                        listener(message["method"], message.get("params", {}))
        os.close(self._in)

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-2000:]
