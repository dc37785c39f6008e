"""Build the tarball, install it into a scratch folder and use it from there, as a person who has no checkout does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tools.files import copy_to

BIN = Path(sys.executable).parent
UNWANTED = (".git", ".venv", ".venv-3.13", ".cache", ".ci", "__pycache__", ".ansible", ".hypothesis")
KINDS = ("module", "filter")
COLLECTION = "evenport.sip"


def tool(name: str, *argv: str, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run([BIN / name, *argv], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} {' '.join(argv)}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="evenport-dist-") as scratch:
        folder = Path(scratch)
        source, installed = copy_to(folder / "source"), folder / "installed"
        # The scratch folder, and no other place: neither the checkout that is linked into .venv nor a copy in the home directory.
        env = {k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")}
        env |= {"ANSIBLE_COLLECTIONS_PATH": str(installed), "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false", "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

        tool("ansible-galaxy", "collection", "build", "--output-path", scratch, cwd=source, env=env)
        tarball = next(folder.glob("evenport-sip-*.tar.gz"))
        tool("ansible-galaxy", "collection", "install", "--offline", "-p", str(installed), str(tarball), cwd=folder, env=env)
        root = installed / "ansible_collections" / "evenport" / "sip"
        if packed := [str(p.relative_to(root)) for p in root.rglob("*") if p.name in UNWANTED]:
            sys.exit(f"the tarball holds what it should not (build_ignore in galaxy.yml): {', '.join(packed)}")
        print(f"{tarball.name}: {tarball.stat().st_size // 1024} kB, {sum(p.is_file() for p in root.rglob('*'))} files")

        for kind in KINDS:
            names = list(json.loads(tool("ansible-doc", "--list", "--json", "-t", kind, COLLECTION, cwd=folder, env=env)))
            if not names:
                sys.exit(f"the installed collection shows no {kind}")
            tool("ansible-doc", "--json", "-t", kind, *names, cwd=folder, env=env)
            print(f"{kind}s documented: {', '.join(sorted(names))}")

        playbooks = sorted(p.stem for p in (root / "playbooks").glob("*.yml"))
        for playbook in playbooks:
            tool("ansible-playbook", "--syntax-check", "-i", "localhost,", f"{COLLECTION}.{playbook}", cwd=folder, env=env)
        if "plan" not in playbooks:
            sys.exit("the installed collection has no playbook evenport.sip.plan")
        print(f"playbooks run by name: {', '.join(playbooks)}")


if __name__ == "__main__":
    main()
