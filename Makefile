# Everything is installed into this clone: .venv (Python), node_modules (chain, compiler, contract library), build (what is made).
# Needs Python 3.11 or 3.12, Node 20, git and make on PATH; nothing else, no root, no C compiler.

SHELL := /bin/sh
.NOTPARALLEL:
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
FIT := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
BIN := .venv/bin
TOOL := $(BIN)/python scripts/tools
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
HASHED := --require-hashes --no-build-isolation --prefer-binary
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error

help: ## what can be typed
	@$(PYTHON) scripts/tools/make_help.py

demo: .venv/.runtime node_modules/.runtime ## live one real day of a street, a neighbourhood and a fleet of meters: chain, service, orders, readings, telemetry, audit
	@$(BIN)/gridweave demo all

test: setup ## the whole test suite, with a table of minutes per stage and the seed
	@$(TOOL)/test.py $(ARGS)

check: setup ## the inner loop, under three minutes: lint, types, imports, forge, domain and service tests
	@$(TOOL)/test.py --stages lint,types,imports,artifacts,forge,backend --quick $(ARGS)

bench: setup ## gas beside other systems, speed beside its limits; writes benchmarks/results.json
	@$(TOOL)/bench.py $(ARGS)

lint: setup ## ruff, mypy, import rules, solhint, lengths, locks, artifacts
	@$(TOOL)/test.py --stages lint,types,imports,artifacts $(ARGS)

lint-slither: setup slither ## static analysis of the contracts
	@$(TOOL)/test.py --stages slither $(ARGS)

proofs: setup .venv-proofs/.stamp ## prove the price for bounded books, energies of any size
	@$(TOOL)/prove.py $(ARGS)

format: setup ## rewrite Python and Solidity in the house style
	@$(TOOL)/lint.py --fix

artifacts: setup ## compile contracts/ into backend/gridweave/artifacts
	@$(TOOL)/compile.py

brownie: setup ## Brownie in a home of its own: make brownie ARGS="run deploy"
	@$(TOOL)/with_brownie.py $(ARGS)

wheel: setup ## the wheel and the source archive, into build/dist
	@$(TOOL)/wheel.py

setup: .venv/.dev node_modules/.dev build/solc/.stamp ## install what tests and tools need

slither: .venv-slither/.stamp ## install the static analyser into an environment of its own

fuzzer: .venv-fuzz/.stamp ## install schemathesis into an environment of its own

openadr-clients: setup ## install two independent OpenADR clients (needs Python 3.12), each into an environment of its own
	@$(TOOL)/openadr_clients.py

lock: setup ## resolve the Python locks anew (needs the package index)
	@$(TOOL)/lock.py

clean: ## remove all that was installed or made in this clone
	rm -rf .venv .venv-slither .venv-proofs .venv-fuzz .venv-openadr .venv-lock node_modules build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.base: requirements/build.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is not on PATH" >&2; exit 1; }
	@$(PYTHON) -c '$(FIT)' || { echo "$(PYTHON) is not Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@command -v npm >/dev/null || { echo "npm is not on PATH: install Node 20" >&2; exit 1; }
	@echo "installing Python packages into .venv ..."
	@$(PYTHON) -m venv --clear .venv
	@$(PIP) --require-hashes --only-binary :all: -r requirements/build.txt
	@touch $@

.venv/.runtime: .venv/.base requirements/runtime.txt pyproject.toml
	@$(PIP) $(HASHED) -r requirements/runtime.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: .venv/.base requirements/dev.txt pyproject.toml
	@$(PIP) $(HASHED) -r requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/.runtime $@

node_modules/.runtime: package.json package-lock.json
	@echo "installing the local chain into node_modules ..."
	@$(NPM_CI) --omit=dev
	@touch $@

node_modules/.dev: package.json package-lock.json
	@echo "installing chain, compiler and contract library into node_modules ..."
	@$(NPM_CI)
	@touch node_modules/.runtime $@

build/solc/.stamp: node_modules/.dev scripts/tools/solc.py scripts/tools/solc-wasm.cjs
	@$(TOOL)/solc.py --check
	@touch $@

.venv-slither/.stamp: requirements/build.txt requirements/slither.txt
	@echo "installing slither into .venv-slither ..."
	@$(PYTHON) -m venv .venv-slither
	@.venv-slither/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r requirements/slither.txt
	@touch $@

.venv-proofs/.stamp: requirements/build.txt requirements/proofs.txt
	@echo "installing halmos into .venv-proofs ..."
	@$(PYTHON) -m venv .venv-proofs
	@.venv-proofs/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r requirements/proofs.txt
	@touch $@

.venv-fuzz/.stamp: requirements/build.txt requirements/fuzz.txt
	@echo "installing schemathesis into .venv-fuzz ..."
	@$(PYTHON) -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r requirements/fuzz.txt
	@touch $@

.PHONY: help demo test check bench lint lint-slither proofs format artifacts brownie setup slither fuzzer openadr-clients lock clean wheel
