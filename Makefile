# Two commands on a fresh machine with Python 3.11, make and a package index:
#   make demo    and    make test

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test check lint types tests docs bench clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## */  make \1\t/' | expand -t 16

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sefa needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
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
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

docs: $(READY)  ## build the documentation site: open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: $(READY)  ## measure everything that should be fast, in at most 20 minutes: bench-results/
	$(BIN)/python bench/suite.py

clean:  ## remove the environment and the demo's files (the model cache stays)
	rm -rf .venv demo
