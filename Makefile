# Everything a developer or CI does. Each target sets up what it needs first; `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore

BIN := .venv/bin
STAMP := .venv/.complete
PIP := $(BIN)/python -m pip -qq
FRONTEND := $(shell find frontend -name node_modules -prune -o -type f -print)
INPUTS := pyproject.toml requirements.lock hatch_build.py $(FRONTEND)
CHECKED := src tests conftest.py hatch_build.py $(if $(wildcard benchmarks/*.py),benchmarks)

# Interpreters to try, best first. A name on the path proves nothing (a version manager's shim may refuse to run, a
# distribution may leave venv out), so each is started and asked.
PYTHONS := python3.13 python3.12 python3.11 python3
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# Share of the changes that some test noticed; one that hangs the tests counts as noticed.
SCORE := import json, sys; n = json.load(sys.stdin); caught = n["killed"] + n["timeout"] + n["segfault"]; \
    print("mutation score: {} of {} noticed, {:.1%}".format(caught, n["total"], caught / n["total"]))

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: setup
setup: $(STAMP)  ## make .venv, with the locked dependencies and the command dca in it
	@:

$(STAMP): $(INPUTS)
	@python=$$($(MAKE) --no-print-directory --silent which-python); \
	if ! $(BIN)/python -c '$(FITS)' 2>/dev/null; then \
	    echo "setting up .venv with $$("$$python" --version)"; \
	    "$$python" -m venv --clear .venv; \
	fi
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: which-python
which-python:
	@for python in $(PYTHONS); do \
	    if "$$python" -c '$(FITS)' >/dev/null 2>&1; then echo "$$python"; exit 0; fi; \
	done; \
	echo "no Python 3.11, 3.12 or 3.13 that can make virtual environments (on Debian: apt-get install python3-venv)" >&2; \
	exit 1

.PHONY: run
run: setup  ## a demo with its dashboard: three bots, thirty days of history, lively markets; PORT=8080 serves it there
	$(BIN)/dca demo --port $(or $(PORT),8000)

.PHONY: shots
shots: setup  ## pictures of every page of the dashboard, on a desk and on a phone, light and dark, in out/shots
	$(BIN)/python -m tests.browser.shots $(ONLY)

.PHONY: test
test: check  ## make check, then the tests
	$(BIN)/pytest

.PHONY: check
check: setup  ## linters, types, import contracts, spelling
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict $(CHECKED)
	$(BIN)/lint-imports
	$(BIN)/codespell

.PHONY: format
format: setup  ## let ruff lay out and repair the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: docs
docs: setup  ## build the documentation into build/docs
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going docs build/docs

.PHONY: bench
bench: setup  ## measure; for a machine with nothing else to do
	$(BIN)/python -m benchmarks

JOBS := auto
.PHONY: prove
prove: setup  ## the long proofs, too slow for every commit; JOBS=4 runs four at a time, by default one per core
	$(BIN)/pytest -m prove --hypothesis-profile=prove --numprocesses $(JOBS)

.PHONY: testnet
testnet: setup  ## one small deal on Binance's Spot Testnet; needs DCA_TESTNET_KEY and DCA_TESTNET_SECRET
	$(BIN)/pytest -m testnet tests/testnet

HOURS := 200
.PHONY: simulate
simulate: setup  ## live HOURS=2000 simulated hours of everything going wrong, with fresh seeds
	$(BIN)/python -m tests.simulation --lives $(HOURS)

.PHONY: mutate
mutate: setup  ## break the domain in every small way and see which tests notice
	$(BIN)/mutmut run
	$(BIN)/mutmut results
	@$(BIN)/mutmut export-cicd-stats >/dev/null
	@$(BIN)/python -c '$(SCORE)' <mutants/mutmut-cicd-stats.json

# UPGRADE=--upgrade takes the newest of everything; without it only what pyproject.toml changed moves.
.PHONY: lock
lock:  ## resolve pyproject.toml into requirements.lock
	@python=$$($(MAKE) --no-print-directory --silent which-python); "$$python" -m venv build/lock
	@build/lock/bin/python -m pip install -qq --upgrade uv
	@build/lock/bin/uv pip compile pyproject.toml --group dev --all-extras --universal --fork-strategy fewest \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	    $(UPGRADE) --quiet --output-file requirements.lock

.PHONY: clean
clean:  ## remove everything that was made here
	rm -rf .venv build dist out mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	rm -rf frontend/node_modules src/dcaweb/static
	find src tests docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
