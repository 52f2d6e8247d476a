# make run: everything from nothing to the comparison. make test: every test. Both set up what they need.
# TensorFlow has wheels for these. Each is tried: the names that pyenv puts there may lead nowhere, Debian's Python comes
# without what makes environments, and one in .venv can't make it anew.
USABLE := import ensurepip, os, sys, venv; \
	sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13) or sys.prefix == os.path.abspath(".venv"))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c '$(USABLE)' >/dev/null 2>&1 && echo $$name && break; done)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup run test lint style types tests lock audit clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: .venv/bin/headstart  ## create .venv with the locked dependencies and the command headstart

.venv/bin/headstart: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed: requirements.lock
	@$(or $(PYTHON),false) -c '$(USABLE)' 2>/dev/null || { echo "error: $(if $(PYTHON),$(PYTHON) is not a,found no) \
	Python 3.11 to 3.13 with its venv module: run apt install python3-venv (Debian 12, Ubuntu 24.04 and later), \
	apt install python3.11-venv (Ubuntu 22.04) or brew install python@3.13 (macOS), or name one by \
	make PYTHON=/path/to/python" | tr -s '[:space:]' ' ' >&2; echo >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	@# Python compiles what it imports; compiling all of TensorFlow beforehand would double the time.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@touch $@

run: setup  ## run the pipeline, or show the comparison again where nothing changed
	@headstart mend
	@status=$$(dvc status --json) && if [ "$$status" = "{}" ]; then headstart compare; \
	else printf "%s" "$$status" | headstart plan --line; dvc repro; fi

test: style  ## check style and types, run the tests
	@# Beside the tests: some wait for one another, and mypy takes a minute of one processor core.
	@$(MAKE) --no-print-directory --jobs=2 types tests

lint: style types  ## check style and types

style: setup
	ruff format --check .
	ruff check .

types: setup
	mypy

tests: setup
	python -m pytest --numprocesses 2 --dist worksteal

lock: setup  ## resolve requirements.txt anew into requirements.lock
	python -m pip install --quiet uv
	@# The fewest versions: every Python gets the same, and so the same results and the same findings of mypy.
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock requirements.txt

audit:  ## look up known faults of the locked packages, which needs the internet
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv-audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean:  ## remove the environment; results and data stay
	rm -rf .venv .venv-audit
