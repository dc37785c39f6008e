"""A real SIP user agent, baresip, in the namespace of one phone: registers, watches other extensions (BLF), takes calls.

Control is baresip's ctrl_tcp: JSON in netstrings (LEN:{...},). BLF here is presence (PIDF "On the phone"), which Asterisk
derives from the same extension hints as dialog-info.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from string import Template
from typing import Any

from tests.lab import processes
from tests.lab.net import PBX_ADDRESS
from tests.lab.spaces import inside
from tests.lab.tree import command

CONFIG = Path(__file__).with_name("conf") / "baresip.config"
REGISTERED = re.compile(rf"{re.escape(PBX_ADDRESS)}:5060 -> \S+\nSIP/2\.0 (\d+) (?:(?!\n\n).)*?CSeq: \d+ REGISTER", re.S)


class UserAgent:
    """``extension`` in ``namespace``; ``watched`` are the extensions of its BLF keys."""

    def __init__(self, extension: str, namespace: str, home: Path, tree: Path, watched: list[str]) -> None:
        self.extension, self.namespace, self.home, self.tree, self.watched = extension, namespace, home, tree, watched
        self.port = 0
        self.starts = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._events: list[dict[str, Any]] = []
        self._news = threading.Condition()

    def start(self, port: int) -> None:
        """Signal from this local port (0: any) from now on. As on a phone, the old socket is closed without a word to the PBX."""
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        (self.home / "config").write_text(Template(CONFIG.read_text("utf-8")).substitute(port=port, tree=self.tree), "utf-8")
        # regint 60: baresip registers anew after 54 s, longer than any scenario; the lab makes phones speak when it wants them to.
        (self.home / "accounts").write_text(f"<sip:{self.extension}@{PBX_ADDRESS}>;auth_user={self.extension};auth_pass=pw{self.extension};"
                                            "regint=60;answermode=manual;audio_codecs=pcmu\n", "utf-8")
        (self.home / "contacts").write_text("".join(f'"{name}" <sip:{name}@{PBX_ADDRESS}>;presence=p2p\n' for name in self.watched), "utf-8")
        self.port, self.starts = port, self.starts + 1
        self._process = processes.launch(command(self.tree, "usr/bin/baresip", "-f", self.home, "-s"), self.home / "log", self.namespace)
        if not processes.until(self._connect, 5):
            raise RuntimeError(f"The SIP user agent of {self.extension} did not start: {self.log()[-500:]}")

    def stop(self) -> None:
        """Switched off: no unregistering, no BYE."""
        process, self._process = self._process, None
        processes.end(process, gently=0)
        if self._control:
            self._control.close()
            self._control = None

    def command(self, name: str, params: str = "") -> None:
        """Press a key: dial, accept, hangup, hangupall."""
        if self._control:
            message = json.dumps({"command": name, "params": params, "token": "lab"})
            self._control.sendall(f"{len(message)}:{message},".encode())

    def speak(self) -> None:
        """Send one packet (OPTIONS) from the SIP port, as a keep-alive does."""
        self.command("options", f"sip:caller@{PBX_ADDRESS}")

    def wait(self, kind: str, since: float, seconds: float) -> float | None:
        """Wait for CALL_INCOMING, CALL_ESTABLISHED or CALL_CLOSED after the time *since*; when it came, or None."""
        with self._news:
            self._news.wait_for(lambda: self._when(kind, since) is not None, max(seconds, 0))
            return self._when(kind, since)

    def registered(self) -> bool:
        """The last answer to a REGISTER was 200."""
        answers = REGISTERED.findall(self.log())
        return bool(answers) and answers[-1] == "200"

    def log(self) -> str:
        """Every SIP packet since the start ("baresip -s")."""
        try:
            return re.sub(r"\x1b\[[0-9;]*m", "", (self.home / "log").read_text("utf-8", "replace"))
        except FileNotFoundError:
            return ""

    def _when(self, kind: str, since: float) -> float | None:
        return next((event["at"] for event in self._events if event.get("type") == kind and event["at"] >= since), None)

    def _connect(self) -> bool:
        try:
            with inside(self.namespace):
                self._control = socket.create_connection(("127.0.0.1", 4444), 2)
        except OSError:
            return False
        self._control.settimeout(None)
        threading.Thread(target=self._read, args=(self._control,), daemon=True).start()
        return True

    def _read(self, control: socket.socket) -> None:
        buffer = b""
        while data := _received(control):
            buffer += data
            while (head := re.match(rb"(\d+):", buffer)) and len(buffer) > head.end() + int(head[1]):
                end = head.end() + int(head[1])
                with self._news:
                    self._events.append({**json.loads(buffer[head.end():end]), "at": time.monotonic()})
                    self._news.notify_all()
                buffer = buffer[end + 1:]


def _received(control: socket.socket) -> bytes:
    try:
        return control.recv(65536)
    except OSError:                                             # closed by stop()
        return b""
