"""What no linter checks: who may import whom, files that have grown too long, paths of somebody's machine, package registries, private keys."""

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

# Imports run downwards only (design: CONTRIBUTING.md). Folder -> what its files never import.
_UTILS = r"ansible_collections\.evenport\.sip\.plugins\."
BOUNDARIES = {
    "tests/fakes": ("a fake is written from the protocol, not from our driver of it", rf"{_UTILS}"),
    "plugins": ("the collection needs none of its tests", r"tests\."),
    "plugins/module_utils": ("below, nothing knows of the doors above it", rf"{_UTILS}(?:action|filter|modules|plugin_utils)"),
    "plugins/module_utils/http": ("HTTP serves the phones and knows none", rf"{_UTILS}module_utils\.(?:phones|pbx|plan|audit|rollout)"),
    "plugins/module_utils/plan": ("the plan is pure", rf"(?:{_UTILS}module_utils\.(?:phones|pbx|http|audit|rollout)|ansible\.|requests|socket)"),
    "plugins/module_utils/har": (
        "reading a recording is pure: it asks no phone", rf"(?:{_UTILS}module_utils\.(?:http\.session|pbx|audit|plan|rollout)|ansible\.|requests|socket)"),
    "plugins/module_utils/audit": ("verdicts are pure", rf"(?:{_UTILS}module_utils\.(?:phones|pbx|http|rollout)|ansible\.|requests|socket)"),
    "plugins/module_utils/phones": ("a phone's driver knows no PBX and no plan", rf"{_UTILS}module_utils\.(?:pbx|plan|audit|rollout)"),
    "plugins/module_utils/pbx": ("a PBX knows no phones and no plan", rf"{_UTILS}module_utils\.(?:phones|plan|audit|rollout)"),
}


def faults(path: Path) -> list[str]:
    try:
        text = (CHECKOUT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return [f"{path}: not UTF-8 text; nothing binary belongs here"]
    found = [f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {what}" for what, pattern in FORBIDDEN.items() for match in pattern.finditer(text)]
    if path.suffix == ".py":
        for folder, (why, names) in BOUNDARIES.items():
            if path.is_relative_to(folder):
                found += [f"{path}: imports {match[1]}, but {why}" for match in re.finditer(rf"^\s*(?:from|import) ({names}\S*)", text, re.MULTILINE)]
    if path.suffix == ".py" and (lines := text.count("\n")) > LONGEST:
        found.append(f"{path}: {lines} lines, more than {LONGEST}: split it")
    return found


def main() -> int:
    found = [fault for path in listed() if path != THIS for fault in faults(path)]
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
