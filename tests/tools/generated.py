"""The generated parts of the documentation: ``python -m tests.tools.generated`` checks them, ``--write`` writes them ("make docs").

- README.md: tables between ``<!-- NAME:begin -->`` and ``<!-- NAME:end -->``: phones, pbxs, content
- docs/variables.md: the roles' variables, from their argument_specs
- docs/phones.md: the supported phones, from BRANDS
- docs/pbxs.md: the supported PBXs, from PRODUCTS
- the values of the options brand and type: in the documentation fragments and in the argument specs of the roles phones and extensions
- docs/findings.md: what the audit can say, from MEANINGS
- CHANGELOG.md: from changelogs/
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from ansible_collections.evenport.sip.plugins.module_utils.audit.findings import MEANINGS
from ansible_collections.evenport.sip.plugins.module_utils.pbx import products
from ansible_collections.evenport.sip.plugins.module_utils.pbx.arguments import PBX_VARIABLES
from ansible_collections.evenport.sip.plugins.module_utils.pbx.products import PRODUCTS, Product
from ansible_collections.evenport.sip.plugins.module_utils.phones.brands import BRANDS, EVIDENCE
from tests.tools.legs import CHECKOUT, MAIN

COLLECTION = "evenport.sip"
PHONES_PAGE = """\
# Phones

Written by `make docs` from the data that the drivers use.

{table}

How we know what we know. None of it was checked on phones of our own:

{grades}

The brand is found out by itself (`sip_phone_brand: auto`), except for the last three. Naming it tells the plan whether a phone with several
lines needs one port or several, and which ports its further accounts have from the factory.

{options}
"""
PBXS_PAGE = """\
# PBXs

Written by `make docs` from the data that the modules use.

{table}

"Claimed" is the phone's own local SIP port, as the phone says; "seen" is the port that its packets come from, after the router. Where a PBX
does not tell one of them, the audit says so instead of guessing.

How we know what we know:

{grades}

## What a PBX's host needs

Every PBX is an inventory host, named by `sip_pbx` of its phones. Tasks are delegated to it. A PBX that is reached by an API alone, or by
`sip_pbx_shell`, gets `ansible_connection: local` and `ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"`.

{needs}

All variables: [variables.md](variables.md).
"""
SHARED_ADDRESS = """\
Two sites may come from one public address: one building, or a provider's NAT. Equal ports in both plans do not make their phones duplicates of
each other; only where the PBX sees two phones on one address *and* port are they, whosever they are. The report of one site then says "a phone of
another site", never which. A phone that had to give way to the other site's is `port_contested`, not a fault of the router, and `shared_address`
names the reason. A device that no inventory has is told only where one site alone comes from its address. A run that does not have the whole
inventory can't know of the others: it tells neither unknown devices nor phones that only the lock has.

"""
MARKED = ("README.md",)
SPELL_BRANDS = ("plugins/doc_fragments/phone.py", "roles/phones/meta/argument_specs.yml")
SPELL_TYPES = ("plugins/doc_fragments/pbx.py", "roles/extensions/meta/argument_specs.yml")
TELLS = {"both": "claimed and seen", "seen": "seen only", "none": "none: registered or not"}
SCOPES = {"line": "per line", "phone": "per phone", "varies": "found out on the phone"}
GRADES = {
    "run": "run in our tests", "documented": "documented", "hardware": "third parties' hardware", "code": "third parties' code", "inferred": "inferred",
    "unknown": "unknown",
}
APPLIES = {"live": "expected at once; if the PBX does not show it, the phone is restarted when idle", "reboot": "every change restarts the phone"}


def tool(name: str, *argv: str) -> str:
    done = subprocess.run([MAIN.bin / name, *argv], cwd=CHECKOUT, env=MAIN.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} {argv[0]}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _column in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ").strip() for cell in line) + " |" for line in lines)


def phones() -> str:
    """The supported phones, from the one row of data that each brand has."""
    head = ("Phone", "Models", "Spoken to by", "Local SIP port", "A change applies", "What we know it from")
    return table(head, [(b.label, ", ".join(b.models), b.how, SCOPES[b.port_scope], APPLIES[b.apply], known(b.evidence)) for b in BRANDS.values()])


def pbxs() -> str:
    """The supported PBXs, from the one row of data that each product has."""
    head = ("PBX", "`sip_pbx_type`", "NAT option", "Registrations from", "Ports told", "What we know it from")
    by_hand = "offers no way: a worksheet of what to tick"
    return table(head, [(p.label, f"`{p.name}`", p.nat or by_hand, p.status, TELLS[p.ports], known(p.evidence)) for p in PRODUCTS.values()])


def pbxs_page() -> str:
    """docs/pbxs.md: the same table, what the grades mean, and what each product needs."""
    grades = "\n".join(f"- *{GRADES[grade]}*: {meaning}" for grade, meaning in products.EVIDENCE.items())
    needs = table(("`sip_pbx_type`", "Read by (`sip_pbx_read_by`)", "Needs", "To set NAT options also"), [
        (f"`{p.name}`", ", ".join(f"`{way}`" for way in p.read_by if way), needed(p), options(p, "writing")) for p in PRODUCTS.values()])
    return PBXS_PAGE.format(table=pbxs(), grades=grades, needs=needs)


def needed(product: Product) -> str:
    ways = [f"with `{way}`: {options(product, way)}" for way in product.read_by if way and product.needs.get(way)]
    return "; ".join(filter(None, [options(product, "always"), *ways]))


def options(product: Product, key: str) -> str:
    return ", ".join(f"`{PBX_VARIABLES[option]}`" for option in product.needs.get(key, ()))


def known(evidence: tuple[tuple[str, str], ...]) -> str:
    """How a brand or product is known: each grade with what is known that way."""
    by_grade: dict[str, list[str]] = {}
    for grade, what in evidence:
        by_grade.setdefault(GRADES[grade], []).append(what)
    return "; ".join(f"{grade}: {', '.join(what)}" for grade, what in by_grade.items())


def phones_page() -> str:
    """docs/phones.md: the same table, what the grades mean, and the value of the brand option."""
    head = ("`sip_phone_brand`", "Phone", "Factory ports of account 1, 2, ...")
    options = table(head, [(f"`{b.name}`", b.label, ", ".join(map(str, b.default_ports)) or "random or unknown") for b in BRANDS.values()])
    grades = "\n".join(f"- *{GRADES[grade]}*: {meaning}" for grade, meaning in EVIDENCE.items())
    return PHONES_PAGE.format(table=phones(), grades=grades, options=options)


def content() -> str:
    """What the collection holds, one line each, from the content's own documentation."""
    rows = []
    for kind in ("filter", "module"):
        listed = json.loads(tool("ansible-doc", "--list", "--json", "-t", kind, COLLECTION))
        rows += [(kind, f"`{name}`", plain(text)) for name, text in sorted(listed.items())]
    rows += [("role", f"`{COLLECTION}.{name}`", plain(spec["main"]["short_description"])) for name, spec in roles().items() if "main" in spec]
    for path in sorted((CHECKOUT / "playbooks").glob("*.yml")):
        rows.append(("playbook", f"`{COLLECTION}.{path.stem}`", about(path)))
    return table(("Kind", "Name", "What it does"), rows)


def findings() -> str:
    """What the audit can say, from the table that it says it from."""
    head = "# Findings\n\nWhat the audit and the rollout can say, the same words in the table, the messages and the report. Written by `make docs`.\n\n"
    head += "*error*: calls are or will be broken, or the audit could not see. *warning*: should be mended but works today. *info*: worth knowing.\n\n"
    head += SHARED_ADDRESS
    rows = [(f"`{code}`", meaning.severity, meaning.text, meaning.remedy) for code, meaning in MEANINGS.items()]
    return head + table(("Finding", "Severity", "Meaning", "What to do"), rows) + "\n"


def about(path: Path) -> str:
    """What a playbook does: its first comment, without the command that runs it, or the name of its first play."""
    text = path.read_text(encoding="utf-8")
    comment = re.search(r"^# (.*?)(?:: ansible-playbook.*)?$", text, re.MULTILINE)
    return comment[1] if comment else yaml.safe_load(text)[0].get("name", "")


def plain(text: object) -> str:
    """Ansible's markup as Markdown: O(x), V(x), C(x) and the like are code."""
    joined = " ".join(text) if isinstance(text, list) else str(text or "")
    joined = re.sub(r"\b(?:RV|[OVCEMP])\(([^)#]*)(?:#[^)]*)?\)", r"`\1`", joined)
    return re.sub(r"\b[BI]\(([^)]*)\)", r"*\1*", joined)


def roles() -> dict[str, dict]:
    """The argument specs of all roles: role -> entry point -> specification."""
    found = {}
    for path in sorted((CHECKOUT / "roles").glob("*/meta/argument_specs.y*ml")):
        found[path.parents[1].name] = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
    return found


def variables() -> str:
    """docs/variables.md. One table for all roles, since they share their variables; a variable that two roles document must say the same."""
    used: dict[str, list[str]] = {}
    options: dict[str, dict] = {}
    for role, spec in roles().items():
        for name, option in spec.get("main", {}).get("options", {}).items():
            used.setdefault(name, []).append(role)
            options.setdefault(name, option)
            for key in ("type", "default"):
                if option.get(key) != options[name].get(key):
                    sys.exit(f"roles {' and '.join(used[name])} differ in the {key} of {name}")
    rows = []
    for name in sorted(options):
        option = options[name]
        default = "*required*" if option.get("required") else f"`{json.dumps(option['default'])}`" if "default" in option else ""
        kind = option.get("type", "str") + (f" of {option['elements']}" if "elements" in option else "")
        choices = f" One of {', '.join(f'`{c}`' for c in option['choices'])}." if option.get("choices") else ""
        rows.append((f"`{name}`", kind, default, plain(option.get("description")) + choices, ", ".join(used[name])))
    head = "# Variables\n\nWritten from the roles' argument specs by `make docs`. Every variable is an ordinary inventory variable: "
    return head + "set it where it belongs (host, site, everything).\n\n" + table(("Variable", "Type", "Default", "Meaning", "Roles"), rows) + "\n"


def changelog() -> str:
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "CHANGELOG.md"
        tool("antsibull-changelog", "generate", "--output", str(target), "--output-format", "md")
        return target.read_text(encoding="utf-8")


def with_tables(text: str) -> str:
    """Fill each pair of markers with its table."""
    for name, make in (("phones", phones), ("pbxs", pbxs), ("content", content)):
        pattern = re.compile(rf"(<!-- {name}:begin[^>]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
        if pattern.search(text):
            made = make()
            text = pattern.sub(lambda m, made=made: f"{m[1]}{made}\n{m[2]}", text)
    return text


def with_brands(text: str) -> str:
    """The values of the brand option, wherever documentation has to spell them."""
    return re.sub(r"choices: \[auto, grandstream[^\]]*\]", f"choices: [{', '.join(['auto', *BRANDS])}]", text)


def with_types(text: str) -> str:
    """The values of the type of a PBX, likewise."""
    return re.sub(r"choices: \[asterisk\b[^\]]*\]", f"choices: [{', '.join(PRODUCTS)}]", text)


def wanted() -> dict[Path, str]:
    files = {CHECKOUT / "docs" / "variables.md": variables(), CHECKOUT / "docs" / "findings.md": findings(),
             CHECKOUT / "docs" / "phones.md": phones_page(), CHECKOUT / "docs" / "pbxs.md": pbxs_page(), CHECKOUT / "CHANGELOG.md": changelog()}
    for names, spell in ((SPELL_BRANDS, with_brands), (SPELL_TYPES, with_types)):
        for name in names:
            files[CHECKOUT / name] = spell((CHECKOUT / name).read_text(encoding="utf-8"))
    for name in MARKED:
        if (path := CHECKOUT / name).exists():
            files[path] = with_tables(path.read_text(encoding="utf-8"))
    return files


def main(write: bool) -> int:
    stale = {path: text for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text}
    for path, text in stale.items():
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(CHECKOUT)}: {'written' if write else 'is not what its sources say; run: make docs'}")
    return 1 if stale and not write else 0


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv[1:]))
