# Copyright: (c) 2026, evenport.sip contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake ``fwconsole reload``, made after what FreePBX 15 to 17 does according to documents and source. It is not FreePBX's program.

It reads the tables devices and sip (and pjsip, for trunks), writes pjsip.endpoint.conf, pjsip.aor.conf, pjsip.auth.conf and
sip_additional.conf with FreePBX's rules for what is absent, reloads Asterisk, clears the flag admin.need_reload, and prints what
FreePBX prints: JSON where the variable SHELL isn't set. It counts its calls.

The variable FAKE_FWCONSOLE names a folder with ``config.json``:

* ``database``: of the ``mysql`` that PATH finds; ``etc``: Asterisk's configuration directory; ``asterisk``: the command that ``-rx`` goes to;
  ``modules``: what is reloaded
* ``faults``: ``fails`` (before it does anything), ``fails_late`` (the files are written, Asterisk is not told), ``ignores`` (it does nothing and
  says that it did), ``silent`` (it does nothing and says nothing), ``busy`` (a number: so many times another one is running),
  ``hangs`` (seconds), ``language`` (what it says instead of "Reload Complete")

and it keeps ``calls`` there, a line for each reload.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

FAILED = 255                                                    # PHP's exit(-1), and an exception that nobody caught
NAT = {"yes": "force_rport,comedia", "route": "force_rport", "never": "no"}


class Fwconsole:
    def __init__(self, folder):
        self.folder = folder
        self.config = json.loads((folder / "config.json").read_text("utf-8"))
        self.faults, self.etc = self.config["faults"], Path(self.config["etc"])

    def reload(self):
        with open(self.folder / "calls", "a", encoding="utf-8") as calls:
            calls.write(f"{os.getpid()}\n")
        if self.faults.get("busy"):
            self.faults["busy"] -= 1
            (self.folder / "config.json").write_text(json.dumps(self.config), "utf-8")
            print(json.dumps({"error": "Process is already running.", "trace": "Process ID : 4711"}), end="")
            return FAILED
        if "silent" in self.faults:
            return 0
        self.say("Reload Started")
        time.sleep(self.faults.get("hangs", 0))
        if "fails" in self.faults:
            print("\nIn Reload.class.php line 771:\n\n  Unable to connect to Asterisk Manager\n", file=sys.stderr)
            return FAILED
        if "ignores" not in self.faults:
            self.write_files()
            self.sql("UPDATE admin SET value = 'true' WHERE variable = 'need_reload'")
            if "fails_late" in self.faults:
                print("\n  The database has gone away\n", file=sys.stderr)
                return 1
            for module in self.config["modules"]:
                subprocess.run([*self.config["asterisk"], "-rx", f"module reload {module}"], check=True, capture_output=True, timeout=30)
        self.sql("UPDATE admin SET value = 'false' WHERE variable = 'need_reload'")
        self.say(self.faults.get("language", "Reload Complete"))
        return 0

    def say(self, text):
        print(text if "SHELL" in os.environ else json.dumps({"message": text}), flush=True)

    def sql(self, text):
        done = subprocess.run(["mysql", "--batch", "--skip-column-names", self.config["database"]], input=text, capture_output=True, text=True, check=True,
                              timeout=30)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def devices(self, tech):
        """Settings of each device of that kind, in the order of their flags, trunks not among them."""
        rows = self.sql("SELECT d.id, s.keyword, s.data FROM devices d JOIN sip s ON s.id = d.id "
                        f"WHERE d.tech = '{tech}' ORDER BY d.id, s.flags, s.keyword DESC")
        found = {}
        for name, keyword, data in rows:
            found.setdefault(name, {})[keyword] = data
        return list(found.values())

    def write_files(self):
        phones = self.devices("pjsip")
        trunks = self.sql("SELECT id, data FROM pjsip WHERE keyword = 'trunk_name'")
        self.write("pjsip.endpoint.conf", [*map(self.endpoint, phones), *(f"[{name}]\ntype=endpoint\naors={name}\ncontext=from-pstn\nallow=ulaw\n"
                                                                          for _number, name in trunks)])
        self.write("pjsip.aor.conf", [*(f"[{phone['account']}]\ntype=aor\nmax_contacts=1\nremove_existing=yes\n" for phone in phones),
                                      *(f"[{name}]\ntype=aor\ncontact=sip:198.51.100.1\n" for _number, name in trunks)])
        self.write("pjsip.auth.conf", [f"[{phone['account']}-auth]\ntype=auth\nauth_type=userpass\npassword={phone['secret']}\nusername={phone['account']}\n"
                                       for phone in phones])
        self.write("sip_additional.conf", map(self.peer, self.devices("sip")))

    def endpoint(self, phone):
        lines = ["type=endpoint", f"aors={phone['account']}", f"auth={phone['account']}-auth", f"context={phone['context']}", "allow=ulaw"]
        if given(phone, "direct_media"):
            lines.append(f"direct_media={phone['direct_media']}")
        lines += [f"{keyword}={phone[keyword] if given(phone, keyword) else absent}"
                  for keyword, absent in (("rtp_symmetric", "yes"), ("rewrite_contact", "no"), ("force_rport", "yes"))]
        return "\n".join([f"[{phone['account']}]", *lines, ""])

    def peer(self, phone):
        lines = [f"{keyword}={NAT.get(data, data) if keyword == 'nat' else data}" for keyword, data in phone.items() if keyword not in ("account", "sipdriver")]
        return "\n".join([f"[{phone['account']}]", *lines, ""])

    def write(self, name, sections):
        (self.etc / name).write_text(";; generated, do not edit\n\n" + "\n".join(sections), "utf-8")


def given(phone, keyword):
    """PHP's !empty()."""
    return phone.get(keyword, "") not in ("", "0")


def main(words):
    if words != ["reload"]:
        print(f'Command "{" ".join(words)}" is not defined.', file=sys.stderr)
        return 1
    return Fwconsole(Path(os.environ["FAKE_FWCONSOLE"])).reload()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
