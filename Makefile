# Two commands do everything on a fresh machine: `make demo` and `make test`. Neither needs root.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
BIN := $(VENV)/bin
# Another environment that is active, or variables that pip and Python read, must not change the setup.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
# The newest Python that the tools run on; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
GITLAB_CI_LOCAL := tests/runners/node_modules/.bin/gitlab-ci-local

.PHONY: help demo test faults check setup runners render lock bench clean

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: setup  ## Run the main job on the emulator, in this terminal and in a real GitHub runner
	@$(BIN)/python tools/demo.py

test: setup runners  ## Run all tests, those in act and gitlab-ci-local included
	$(BIN)/python -m pytest -n auto --dist loadgroup

ONLY ?= *
faults: setup  ## Run every step through every fault; ONLY='promote/*' chooses cells
	@$(BIN)/python tests/faults/run.py --only '$(ONLY)'

check: setup  ## Run the linters, the types and the freshness of rendered files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/render.py --check
	$(BIN)/python tools/lock.py --check
	$(BIN)/python tools/lint.py

bench: setup  ## Measure; writes the figures to bench/README.md
	@$(BIN)/python bench/run.py

render: setup  ## Write action.yml files, GitLab templates and the tables of the READMEs
	$(BIN)/python tools/render.py

lock: setup  ## Resolve core/requirements.lock again, with the newest versions
	$(BIN)/python tools/lock.py --upgrade

setup: $(VENV)/.stamp

$(VENV)/.stamp: pyproject.toml
	@test -n '$(PYTHON)' || { echo 'no Python 3.11 or newer with venv: install one, or set PYTHON=/path/to/python3' >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[dev]'
	@touch $@

# What the runs in real runners need of Debian; a run that misses one of them says so and is skipped.
DEBIAN := rsync curl jq
runners: $(GITLAB_CI_LOCAL)
	@missing=; for p in $(DEBIAN); do command -v $$p >/dev/null || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get -qq update && apt-get -qq install -y $$missing >/dev/null; \
	then echo "installed$$missing"; else echo "missing, and cannot be installed here:$$missing - the runs that need them are skipped"; fi

$(GITLAB_CI_LOCAL): tests/runners/package.json tests/runners/package-lock.json
	@command -v npm >/dev/null && { cd tests/runners && npm ci --silent --no-audit --no-fund && touch node_modules/.bin/gitlab-ci-local; } || \
		echo 'npm is missing, or cannot install gitlab-ci-local: the GitLab runs are skipped'

clean:  ## Remove everything that was set up or built
	rm -rf $(VENV) .tools dist tests/runners/node_modules bench/node/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
