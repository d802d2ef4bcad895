# Two commands on a fresh machine with Python 3.11, make and a package index:
#   make demo    and    make test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
BUILD := SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python .ci/build.py
PIP := $(BIN)/pip --quiet --disable-pip-version-check
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' torch.lock)

.PHONY: help demo test check lint types tests docs bench cluster lock audit compat dist clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

$(READY): requirements.lock torch.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sefa needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(BIN)/pip list --format freeze | grep -q "^$(TORCH)\b" || $(PIP) download --no-deps --dest .venv/torch $(TORCH)
	$(PIP) install --no-deps --require-hashes --no-index --find-links .venv/torch -r torch.lock
	$(PIP) install --no-build-isolation --editable .
	@rm -rf .venv/torch
	@touch $(READY)

demo: $(READY)  ## install, fetch the default model, factorize it, edit faces, make a film
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh

test: lint types tests  ## lint, types and all tests, those on the real model included

check: lint types  ## the inner loop, under a minute: lint, types and the quick tests
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow" -n 2

lint: $(READY)  ## ruff: style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

tests: $(READY)  ## pytest
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

docs: $(READY)  ## build the documentation site: open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(READY)  ## measure everything that should be fast, in at most 20 minutes: bench-results/
	$(BIN)/python bench/suite.py

cluster: $(READY) cluster.lock  ## install Ray and submitit, and test on a real cluster of several nodes
	$(PIP) install --no-deps --require-hashes -r cluster.lock
	SEFA_CLUSTER=required OMP_NUM_THREADS=1 $(BIN)/pytest tests/test_cluster.py tests/test_joining.py tests/docs/test_many_machines.py

lock:  ## write all locks again, with the hashes of all files
	PYTHON=$(PYTHON) .ci/lock

audit:  ## look for known weaknesses in the locked versions; asks the package index
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r requirements.lock -r torch.lock -r cluster.lock

compat:  ## the quick tests on the oldest and newest dependencies, on every Python here
	PYTHON=$(PYTHON) .ci/compat $(COMPAT)

dist: $(READY)  ## build the sdist and the wheel twice, and compare: dist/
	rm -rf dist dist.again
	$(BUILD) dist
	$(BUILD) dist.again
	diff -r dist dist.again && rm -r dist.again

clean:  ## remove the environment and the demo's files (the model cache stays)
	rm -rf .venv demo
