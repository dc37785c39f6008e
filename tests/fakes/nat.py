# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small router's port translation, simulated: what port does a phone's packet leave with?"""

from __future__ import annotations

import random
import threading


class Router:
    """*mode*: ``keep`` leaves a source port as it is while it is free and takes a random one otherwise (an ordinary router);
    ``random`` always takes another one (a router that ignores the plan)."""

    def __init__(self, address="203.0.113.1", mode="keep", seed=1):
        self.address, self.mode = address, mode
        self._random = random.Random(seed)
        self._outside = {}                      # outside port -> (inside address, inside port)
        self._lock = threading.Lock()

    def translate(self, address, port):
        """The outside port for packets from (address, port). A phone has one mapping; its old one goes when it moves."""
        with self._lock:
            for outside, inside in list(self._outside.items()):
                if inside == (address, port):
                    return outside
                if inside[0] == address:
                    del self._outside[outside]
            outside = port if self.mode == "keep" and port not in self._outside else self._free()
            self._outside[outside] = (address, port)
            return outside

    def _free(self):
        while True:
            port = self._random.randrange(10000, 65000)
            if port not in self._outside:
                return port
