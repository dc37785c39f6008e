"""A desk phone of the lab: the web page of a fake phone on its LAN address, and behind it a real SIP user agent.

What the web page was told is what the user agent does: whenever the phone applies a local SIP port, the user agent is
restarted on that port. So a push through the web page really rebinds a SIP socket, and the PBX's registrations are the proof.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.fakes.brands import KINDS, Kind
from tests.lab.net import lan_address, phone_space
from tests.lab.spaces import inside
from tests.lab.useragent import UserAgent

DEFAULT_PORT = 5060
PASSWORD = "lab-web-password"
# Half of an ordinary site of the lab is of the newer generation, half of the older one.
ORDINARY = (KINDS["grandstream"], KINDS["grandstream-old"])


class DeskPhone:
    """Extension *number* (101, 102, ...) with one account, as it leaves its box: mostly on local SIP port 5060, some brands on a random one."""

    def __init__(self, number: int, home: Path, tree: Path, watched: list[str], kind: Kind | None = None) -> None:
        self.number, self.address = number, lan_address(number)
        kind = kind or ORDINARY[(number - 101) % len(ORDINARY)]
        self.mac, self.variables = kind.mac_of(number), kind.variables
        self.agent = UserAgent(str(number), phone_space(number), home, tree, watched)
        self._one_at_a_time = threading.Lock()
        account = {"user": str(number), "active": True, "port": DEFAULT_PORT}
        self.web = kind.make(mac=self.mac, password=PASSWORD, address=self.address, port=80, accounts=[account], on_register=self._register)

    def plug_in(self) -> None:
        """Switch the phone on: the web page comes up and the phone registers."""
        with inside(phone_space(self.number)):                  # its socket, and the threads that it starts, stay in there
            self.web.start()

    def unplug(self) -> None:
        self.web.stop()
        self.agent.stop()

    def reconnect(self) -> None:
        """Pull the power of the SIP side for a moment: it registers anew on the port it has."""
        self.agent.start(self.agent.port)

    def counters(self) -> dict[str, int]:
        return {name: getattr(self.web, name) for name in ("login_attempts", "logins", "logouts", "writes", "reboots")}

    def _register(self, _web: Any, _account: int, port: int) -> None:
        with self._one_at_a_time:                               # the web page calls from the thread of the request
            self.agent.start(port)
