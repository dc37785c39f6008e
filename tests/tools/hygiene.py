"""What no linter checks: paths of somebody's machine, hosts of package registries, private keys, and files that have grown too long."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.tools.files import listed
from tests.tools.legs import CHECKOUT

LONGEST = 500           # lines of a Python file; 100 to 200 is what we aim at
THIS = Path(__file__).resolve().relative_to(CHECKOUT)

FORBIDDEN = {
    "a path of somebody's machine": re.compile(r"(?<![\w.$})~-])/(?:root|home|work|Users)/\w"),
    "the host of a package registry (a person's pip.conf says where packages come from)": re.compile(r"pypi\.org|pythonhosted\.org|galaxy\.ansible\.com"),
    "a private key (tests make theirs when they run)": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]"),
}


def faults(path: Path) -> list[str]:
    try:
        text = (CHECKOUT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [f"{path}: not UTF-8 text; nothing binary belongs here"]
    found = [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {what}" for what, pattern in FORBIDDEN.items() for match in pattern.finditer(text)]
    if path.suffix == ".py" and (lines := text.count("\n")) > LONGEST:
        found.append(f"{path}: {lines} lines, more than {LONGEST}: split it")
    return found


def main() -> int:
    found = [fault for path in listed() if path != THIS for fault in faults(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
