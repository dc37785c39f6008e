"""What "make test" runs, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tests.tools import legs
from tests.tools.legs import MAIN, OTHER, Leg

SIDE_BY_SIDE = ("-n", "6")  # the unit tests wait for fakes most of the time
TWO = ("-n", "2")           # those of the lab for real programs, of which each wants a core of its own
# Fetch something now, so that no test waits for it. Where it can't be had, those who need it say so.
FETCH = "from tests.{name} import {call} as fetch\nfrom tests.lab.tree import LabUnavailable\ntry: fetch()\nexcept LabUnavailable as why: print(why)"
NOT_RUN = 2             # exit status of the lab where it can't run on this machine; its last line says why


@dataclass(frozen=True)
class Command:
    label: str
    argv: tuple[str, ...]
    leg: Leg = MAIN
    may_not_run: bool = False       # NOT_RUN is accepted from it, except in CI
    limit: int = 600                # seconds


@dataclass(frozen=True)
class Stage:
    name: str
    title: str
    commands: tuple[Command, ...]
    counted: bool = True            # False: a preparation, no test
    left_out: str = ""              # why this stage can't run here


def python(label: str, *argv: str, leg: Leg = MAIN, **more: object) -> Command:
    return Command(label, (str(leg.python), *argv), leg, **more)


def tool(name: str, *argv: str) -> Command:
    return Command(name, (str(MAIN.bin / name), *argv))


def pytest(folder: str, leg: Leg = MAIN, *argv: str) -> Command:
    return python(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *argv, folder, leg=leg, limit=1200)


def all_stages() -> dict[str, Stage]:
    second = legs.find_second()
    why = second if isinstance(second, str) else ""
    newer = f"Python {legs.SECOND}, ansible-core 2.21"
    stages = [
        Stage("prepare", "environment of the second leg; programs of the lab; a browser", (
            python("second leg", "-m", "tests.tools.legs"),
            python("lab programs", "-c", FETCH.format(name="lab.tree", call="ensure")),
            python("older PBX", "-c", FETCH.format(name="lab.asterisk16", call="ensure")),
            python("MariaDB", "-c", FETCH.format(name="lab.databases", call="mariadb_tree")),
            python("PostgreSQL", "-c", FETCH.format(name="lab.databases", call="postgresql_tree")),
            python("browser", "-c", FETCH.format(name="browser.chromium", call="command")),
        ), counted=False),
        Stage("lint", "style, documentation, changelog, generated files, hygiene", (
            tool("ruff", "check", "--quiet", "--output-format", "concise", "."),
            python("hygiene", "-m", "tests.tools.hygiene"),
            tool("yamllint", "--strict", "."),
            tool("antsibull-changelog", "lint"),
            python("generated files", "-m", "tests.tools.generated"),
            tool("antsibull-docs", "lint-collection-docs", "--plugin-docs", "."),
            tool("ansible-lint", "-q"),
        )),
        Stage("sanity", "ansible-test sanity", (python("ansible-test sanity", "-m", "tests.tools.sanity"),)),
        Stage("unit", "unit tests", (pytest("tests/unit", MAIN, *SIDE_BY_SIDE),)),
        Stage(f"unit-{legs.SECOND}", f"unit tests on {newer}", (pytest("tests/unit", OTHER, *SIDE_BY_SIDE),), left_out=why),
        Stage("molecule", "roles: converge, idempotence, check mode, verify", (tool("molecule", "test", "--all"),)),
        Stage("dist", "the tarball, installed and used elsewhere", (python("tarball", "-m", "tests.tools.dist"),)),
        Stage("integration", "modules and playbooks against the fakes", (pytest("tests/integration"),)),
        Stage(f"integration-{legs.SECOND}", f"the same on {newer}", (pytest("tests/integration", OTHER),), left_out=why),
        Stage("lab", "real PBX parts under the modules; real Asterisk, real NAT, real SIP phones", (
            pytest("tests/lab", MAIN, *TWO),
            python("lab", "-m", "tests.lab", may_not_run=True, limit=900),
        )),
    ]
    return {stage.name: stage for stage in stages}


# A phase begins when the one before it is over; the lanes of a phase run beside each other (two cores), the stages of a lane one by one.
# What fails fast comes first. The lab measures time, so it runs alone.
PHASES = (
    (("lint",), ("prepare",)),
    (("sanity", "integration", "molecule", "dist"), ("unit", f"unit-{legs.SECOND}", f"integration-{legs.SECOND}")),
    (("lab",),),
)
