# evenport.sip. Needs git, make and Python 3.11 or newer with venv (Debian: apt install git make python3 python3-venv). "make help" lists the targets.

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m tests.run

# A locale that the machine names but does not have would stop Ansible.
export LC_ALL := C.UTF-8

.DEFAULT_GOAL := help
.PHONY: help demo demo-up demo-down test lint sanity unit integration molecule lab bench dist docs constraints clean

help:                   ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

# ---- try it

demo: $(VENV)/.run-time         ## the embedded site: plan, roll out, audit, roll out again; nothing is left running
	@$(VENV)/bin/python -m tests.fakes.demo run

demo-up: $(VENV)/.run-time      ## start the embedded site and leave it up, to play with
	@$(VENV)/bin/python -m tests.fakes.demo up

demo-down: $(VENV)/.run-time    ## stop what demo-up started
	@$(VENV)/bin/python -m tests.fakes.demo down

# ---- test it (see CONTRIBUTING.md)

test: $(VENV)/.test             ## everything below down to lab, with a table of results
	@$(RUN)

lint: $(VENV)/.test             ## ruff, yamllint, ansible-lint, documentation, changelog, generated files, hygiene
	@$(RUN) lint

sanity: $(VENV)/.test           ## ansible-test sanity
	@$(RUN) sanity

unit: $(VENV)/.test             ## unit tests; one test: .venv/bin/pytest tests/unit/... -k name
	@$(RUN) unit

molecule: $(VENV)/.test         ## converge, idempotence, check mode and verify of the roles
	@$(RUN) molecule

integration: $(VENV)/.test      ## modules and playbooks against the fake phones and the fake PBX
	@$(RUN) integration

dist: $(VENV)/.test             ## build the tarball, install it elsewhere, and use it from there
	@$(RUN) dist

lab: $(VENV)/.test              ## the rollout on a real Asterisk, real NAT and real SIP phones (no root needed)
	@$(RUN) lab

bench: $(VENV)/.test            ## what a host costs in scan and in push
	@$(VENV)/bin/python -m tests.bench

# ---- keep it

docs: $(VENV)/.test             ## write the generated tables, docs/variables.md and CHANGELOG.md again
	@$(VENV)/bin/python -m tests.tools.generated --write

constraints:                    ## write constraints-2.*.txt again: make constraints PYTHON=python3.11, then PYTHON=python3.13
	@$(PYTHON) tests/tools/constraints.py

clean:                          ## delete what make made here (the lab's download too)
	@if [ -e inventory/demo/.sip/demo.pid ] && [ -x $(VENV)/bin/python ]; then $(VENV)/bin/python -m tests.fakes.demo down; fi
	rm -rf .venv .venv-3.13 .ansible .cache .hypothesis .pytest_cache .ruff_cache tests/output evenport-sip-*.tar.gz
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- two steps, so that the demo does not wait for the linters

$(VENV)/.run-time: requirements.txt constraints-2.19.txt constraints-2.21.txt tests/tools/venv.py
	@echo "evenport.sip: setting up $(VENV) (run time)"
	@$(PYTHON) tests/tools/venv.py $(VENV) requirements.txt
	@touch $@

$(VENV)/.test: $(VENV)/.run-time tests/requirements.txt tests/requirements-unit.txt
	@echo "evenport.sip: setting up $(VENV) (tests)"
	@$(PYTHON) tests/tools/venv.py $(VENV) requirements.txt tests/requirements.txt
	@touch $@
