"""An older PBX: Asterisk 16 with chan_sip, and the Python 3.9 beside it, both of Debian 11, from a tree of their own (see :mod:`tests.lab.tree`).

    pbx = ChanSip(asterisk16.ensure(), tmp_path)
    pbx.write_config(["101", "102"], nat_option="force_rport,comedia")
    pbx.start()
    pbx.rx("sip show peers")
    pbx.stop()
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from string import Template

from tests.lab.asterisk import Asterisk
from tests.lab.tree import cache, extracted, library, loader, try_asterisk

SUITE = "bullseye"                                              # Debian 11: the last one with an Asterisk that has chan_sip, and Python 3.9
PACKAGES = ("asterisk", "python3.9")
RECIPE = 1                                                      # raise it when _finish() changes what the tree holds

HEAD = """\
[general]
context = phones
allowguest = no
udpbindaddr = $address:$sip_port
srvlookup = no
useragent = Asterisk-lab
$nat
[phone](!)
type = friend
host = dynamic
context = phones
disallow = all
allow = ulaw
qualify = $qualify
"""
PHONE = """
[$name](phone)
secret = pw$name
"""
# Python finds its library by its own place. Started without the script it would get the machine's loader and libraries:
# so sys.executable, which modules start other Pythons with, is the script too.
PYTHON = """\
#!/bin/sh
tree=$(dirname "$(dirname "$(dirname "$(readlink -f "$0")")")")
exec "$tree/{loader}" --library-path "$tree/{library}" "$tree/usr/bin/python3.9" "$@"
"""
SITE = """\
import sys

sys.executable = sys.prefix + "/bin/python3"
"""


def ensure() -> Path:
    """The extracted tree, built now if it isn't there yet (about 10 s, 260 MB). Raises LabUnavailable."""
    return extracted(cache(), SUITE, PACKAGES, RECIPE, _finish)


def python(tree: Path) -> Path:
    """A script that runs the tree's Python 3.9, such as for ansible_python_interpreter."""
    return tree / "usr/bin/python3"


class ChanSip(Asterisk):
    """Its NAT option is sip.conf's ``nat``, PJSIP is not loaded. ``directmedia`` has its default, which is yes."""

    conf = ("conf", "conf16")
    technology = "SIP"

    @property
    def python(self) -> Path:
        """The Python of this PBX (see :func:`python`)."""
        return python(self.tree)

    def write_config(self, phones: Iterable[str], nat_option: str | None, qualify: str = "no") -> None:
        """Every configuration file anew: *phones* are the extensions (password "pw" + extension), *nat_option* is [general]'s ``nat``, None leaves it out."""
        words = {"address": self._bound, "sip_port": self.sip_port, "qualify": qualify, "nat": f"nat = {nat_option}\n" if nat_option else ""}
        peers = (Template(PHONE).substitute(name=phone) for phone in phones)
        self._write_files({"sip.conf": Template(HEAD).substitute(words) + "".join(peers)})


def _finish(root: Path) -> None:
    _relative(loader(root))                                     # it points to the machine's own /lib
    own = root / "usr/lib/libasteriskpj.so.2"                   # the one library that lies elsewhere
    (library(root) / own.name).symlink_to(os.path.relpath(own, library(root)))
    site = root / "usr/lib/python3.9/sitecustomize.py"
    site.unlink()
    site.write_text(SITE, "ascii")
    words = {"loader": loader(root).relative_to(root), "library": library(root).relative_to(root)}
    python(root).write_text(PYTHON.format(**words), "ascii")
    python(root).chmod(0o755)
    try_asterisk(root)


def _relative(link: Path) -> None:
    """An absolute link, as Debian 11 still has it, made to stay inside the tree."""
    target = os.readlink(link)
    link.unlink()
    link.symlink_to("../.." + target)
