"""The programs of the lab: Asterisk 22, baresip, nft and conntrack, extracted from Debian packages, never installed.

Built once (15-25 s, about 280 MB) and cached; no root needed. The packages come from the Debian mirror that apt is
configured with. Programs run without chroot, through the tree's own loader (see :func:`command`), so that the machine's
own libraries don't matter.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SUITE = "forky"                                                 # Debian 14: Asterisk 22 (bookworm and trixie have none)
PACKAGES = ("asterisk", "baresip-core", "nftables", "conntrack")
RECIPE = 1                                                      # raise it when build() changes what the tree holds
NEEDED = {"apt-get": "apt", "dpkg": "dpkg", "perl": "perl", "unshare": "util-linux", "ip": "iproute2"}

# mmdebstrap's "extract" runs no maintainer script, hence doesn't make the links of a merged /usr either.
MERGED_USR = 'mkdir -p "$1"/usr/bin "$1"/usr/sbin "$1"/usr/lib "$1"/usr/lib64; ln -s usr/bin usr/sbin usr/lib usr/lib64 "$1"/'


class LabUnavailable(Exception):
    """The lab can't run on this machine; the message says why and what would help."""


def cache() -> Path:
    return Path(os.environ.get("EVENPORT_LAB_CACHE") or CHECKOUT / ".cache" / "lab")


def ensure() -> Path:
    """The extracted tree, built now if it isn't there yet. Raises LabUnavailable."""
    require(NEEDED)
    return extracted(cache(), SUITE, PACKAGES, RECIPE, try_asterisk)


def extracted(folder: Path, suite: str, packages: tuple[str, ...], recipe: int, finish: Callable[[Path], None]) -> Path:
    """A tree of Debian packages under *folder*, built now if it isn't there yet. *finish* has the last hand on a new one. Raises LabUnavailable."""
    require({program: NEEDED[program] for program in ("apt-get", "dpkg", "perl")})
    arch = _run("dpkg", "--print-architecture").strip()
    key = hashlib.sha256(repr((suite, packages, recipe, arch)).encode()).hexdigest()[:12]
    tree = folder / key
    if tree.is_dir():                                           # it gets its name only when it is whole
        return tree
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        if not tree.is_dir():
            half = folder / "half-built"
            shutil.rmtree(half, ignore_errors=True)             # what an interrupted run left
            try:
                _build(half, suite, packages)
                finish(half / "debian")
                (half / "debian").rename(tree)
            finally:
                shutil.rmtree(half, ignore_errors=True)
    return tree


def command(tree: Path, program: str, *args: object) -> list[str]:
    """The argument list that runs *program* (a path inside *tree*, such as usr/sbin/asterisk)."""
    return [str(loader(tree)), "--library-path", str(library(tree)), str(tree / program), *map(str, args)]


def library(tree: Path) -> Path:
    """The tree's multiarch library directory, such as usr/lib/x86_64-linux-gnu."""
    return _one(tree, "usr/lib/*-linux-gnu*")


def require(programs: dict[str, str]) -> None:
    missing = {program: package for program, package in programs.items() if not shutil.which(program, path=_path())}
    if missing:
        raise LabUnavailable(f"The lab needs {', '.join(missing)}. Install the Debian packages: {' '.join(sorted(set(missing.values())))}.")


def _build(half: Path, suite: str, packages: tuple[str, ...]) -> None:
    print(f"lab: fetching {', '.join(packages)} of Debian {suite} (once, about 20 s) ...", flush=True)
    (half / "tmp").mkdir(parents=True)
    # Another uid's HOME and TMPDIR may not be writable: give every tool its own.
    env = {**os.environ, "HOME": str(half), "TMPDIR": str(half / "tmp"), "LC_ALL": "C.UTF-8", "PATH": _path()}
    lists = _apt_lists(half, env)
    _run("apt-get", *lists, "download", "mmdebstrap", cwd=half, env=env)
    _run("dpkg", "-x", str(_one(half, "mmdebstrap_*.deb")), str(half / "tools"), env=env)
    env["PATH"] = f"{half / 'tools/usr/bin'}:{env['PATH']}"     # mmdebstrap calls its mmtarfilter through PATH
    _run("perl", half / "tools/usr/bin/mmdebstrap", "--quiet", "--mode=chrootless", "--variant=extract", f"--include={','.join(packages)}",
         '--aptopt=Acquire::Check-Valid-Until "false"',         # a testing suite's mirror may lag behind its InRelease's validity
         *(f"--aptopt={line}" for line in _run("apt-config", "dump", "Acquire::http", "Acquire::https", env=env).splitlines()),
         f"--setup-hook={MERGED_USR}", suite, half / "debian", _mirror(lists, env), env=env)


def try_asterisk(root: Path) -> None:
    """Show that the Asterisk of a new tree runs. Raises LabUnavailable."""
    version = _run(*command(root, "usr/sbin/asterisk", "-V"), env={**os.environ, "LC_ALL": "C.UTF-8"}).strip()
    print(f"lab: {version} is ready", flush=True)


def _apt_lists(half: Path, env: dict[str, str]) -> list[str]:
    """Options for apt: none when the machine's package lists are filled, otherwise private lists, fetched now."""
    if "mmdebstrap" in _run("apt-cache", "pkgnames", "mmdebstrap", env=env):
        return []
    (half / "lists/partial").mkdir(parents=True)
    (half / "apt/archives/partial").mkdir(parents=True)
    private = ["-o", f"Dir::State::lists={half / 'lists'}", "-o", f"Dir::Cache={half / 'apt'}", "-o", "APT::Sandbox::User="]
    _run("apt-get", *private, "-qq", "update", env=env)
    if "mmdebstrap" not in _run("apt-cache", *private, "pkgnames", "mmdebstrap", env=env):     # the update "succeeds" without any mirror
        raise LabUnavailable("The lab takes its programs from a Debian mirror, and none that apt has configured answers (try: apt-get update).")
    return private


def _mirror(lists: list[str], env: dict[str, str]) -> str:
    """The mirror that apt takes Debian's main packages from (never the security archive: it holds no whole suite)."""
    found = _run("apt-get", *lists, "indextargets", "--format", "$(SITE) $(RELEASE) $(LABEL)", "Created-By: Packages", env=env)
    mirrors = [site for site, _space, about in (line.partition(" ") for line in found.splitlines())
               if about.endswith(" Debian") and "security" not in about]
    if not mirrors:
        raise LabUnavailable("The lab takes its programs from a Debian mirror, and apt on this machine has none configured.")
    return mirrors[0]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)                        # given back by the kernel, also after a crash
        yield


def _run(*args: object, **options: object) -> str:
    words = [str(arg) for arg in args]
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, check=False, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabUnavailable(f"The lab could not run {words[0]}: {error}") from error
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise LabUnavailable(f"The lab's programs could not be fetched: {Path(words[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout


def _one(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise LabUnavailable(f"Nothing like {pattern} in {folder}: delete {cache()} and try again.")
    return found[0]


def loader(tree: Path) -> Path:
    return next(iter(sorted(tree.glob("usr/lib64/ld-linux-*"))), None) or _one(tree, "usr/lib/ld-linux-*")


def _path() -> str:
    return os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"     # an ordinary user's PATH often lacks ip's folder
