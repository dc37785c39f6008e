"""Make a virtual environment with the collection in it: ``python3 tests/tools/venv.py DIR REQUIREMENTS_FILE...``

Runs on the machine's own Python, before anything is installed: standard library only, and syntax that an old Python can still
read, so that it gets as far as saying that it is too old.

The collection is not installed into the environment, it is linked: DIR/.../site-packages/ansible_collections/evenport/sip -> checkout.
Ansible looks for collections on sys.path, so with that link everything works in a checkout of any name, without ansible.cfg or environment.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def constraints(version):
    """The exact versions that were tested, by ansible-core line: 2.19 is the last for Python 3.11, 2.21 is for newer ones."""
    return os.path.join(CHECKOUT, f"constraints-{'2.19' if version < (3, 12) else '2.21'}.txt")


def create(venv):
    """Returns the path of the environment's Python; one that works is kept."""
    python = os.path.join(venv, "bin", "python")
    works = os.path.exists(python) and not subprocess.call([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not works and subprocess.call([sys.executable, "-m", "venv", "--clear", venv]):
        sys.exit(f"evenport.sip: {sys.executable} could not make {venv}. On Debian and Ubuntu: apt install python3-venv")
    return python


def install(python, files):
    pip = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--constraint", constraints(sys.version_info)]
    for name in files:
        pip += ["--requirement", name]
    if subprocess.call(pip):
        sys.exit(f"evenport.sip: pip could not install {' and '.join(files)} (its own message is above)")


def link(python):
    """Link the checkout into the environment."""
    purelib = subprocess.check_output([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], universal_newlines=True).strip()
    folder = os.path.join(purelib, "ansible_collections", "evenport")
    os.makedirs(folder, exist_ok=True)
    name = os.path.join(folder, "sip")
    if os.path.lexists(name):
        os.unlink(name)
    os.symlink(CHECKOUT, name)


def main(venv, *files):
    if sys.version_info < OLDEST:
        sys.exit(f"evenport.sip needs Python 3.11 or newer, but {sys.executable} is {sys.version.split()[0]}. "
                 "Debian 12 has 3.11; with a newer one installed beside it: make PYTHON=python3.12 ...")
    python = create(venv)
    install(python, files)
    link(python)


if __name__ == "__main__":
    main(*sys.argv[1:])
