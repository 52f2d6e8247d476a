# make run: everything from nothing to the comparison. make test: every test. Both set up what they need.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup run test lint lock audit clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

setup: .venv/installed  ## create .venv with the locked dependencies

.venv/installed: requirements.lock
	$(PYTHON) -m venv --clear .venv
	@# Python compiles what it imports; compiling all of TensorFlow beforehand would double the time.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@touch $@

run: setup  ## run the pipeline, or show the comparison again where nothing changed
	@python -m stages.mend
	@if dvc status --quiet; then python -m stages.compare; else dvc repro; fi

test: setup lint  ## check style and types, run the tests
	python -m pytest --numprocesses 2 --dist worksteal

lint: setup  ## check style and types
	ruff format --check .
	ruff check .
	mypy

lock: setup  ## resolve requirements.txt anew into requirements.lock
	python -m pip install --quiet uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--output-file requirements.lock requirements.txt

audit:  ## look up known faults of the locked packages, which needs the internet
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv-audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock

clean:  ## remove the environment; results and data stay
	rm -rf .venv .venv-audit
