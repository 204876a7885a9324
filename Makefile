# `make help` lists what there is. Every target does its own set-up.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11
# `make demo ONCE=1` checks the outcome and ends; `make demo AS_OF=now` uses the clock, AS_OF=2026-11-24T10:00:00-05:00
# that instant. CRM_PUBLIC_PORT and CRM_AIRFLOW_PORT fix the ports. Neither outlives the make that started it.
ONCE ?=
AS_OF ?=

.PHONY: help install demo up test check format bench chaos lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

install: .venv/installed ## Make .venv from the hashed locks

.venv/installed: requirements-uv.lock requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $(PYTHON) is older: run make PYTHON=python3.12 (or another) again."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements-dev.lock
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --compile-bytecode --editable .
	touch $@

demo: install ## Show the whole pipeline at work (ONCE=1: check the outcome and end)
	$(BIN)/enrollment-crm demo --started-by $$PPID $(if $(ONCE),--once) $(if $(value AS_OF),--as-of "$$AS_OF")

up: install ## Start everything on this machine, with an empty database
	$(BIN)/enrollment-crm up --started-by $$PPID

# In the order of the folders: the one with the whole stack comes early. It waits most, so that three workers keep two
# cores busy.
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

test: install ## Run the tests
	$(PYTEST) --numprocesses 3 -m "not slow"

test-slow: install ## Run the tests that take long: chaos, whole cycles, processes killed one after another
	$(PYTEST) --numprocesses 2 -m slow

check: install ## Formatting, lint, types, import contracts, emails
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/enrollment-crm templates lint

format: install ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## Measure, side by side with references (build/bench.json)
	$(BIN)/python -m tests.benchmarks

chaos: install ## Kill workers, relays and databases while mail is sent (CHAOS_SIZE=0.1: a trial; build/chaos.json)
	$(BIN)/python -m tests.chaos

lock: install ## Renew the hashed locks from pyproject.toml
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) pyproject.toml --group dev -o requirements-dev.lock
	$(LOCK) requirements-uv.in -o requirements-uv.lock

clean: ## Remove what was built: .venv, the demo's database, caches
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
