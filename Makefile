# The one way to set up, run and check the project; continuous integration calls the same targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; `make setup PYTHON=/path/to/python` overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV := $(or $(shell command -v uv 2>/dev/null),$(wildcard $(BIN)/uv))

# Optional parts. The word is part of the stamp's name, so installing a toolchain later is noticed.
NATIVE := $(if $(wildcard native/Cargo.toml),$(if $(shell command -v cargo 2>/dev/null),built,no-cargo),absent)
# The terminal's tools need Node.js 20.19 or newer, and npm.
NODE_FITS := $(shell command -v npm >/dev/null 2>&1 && node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null && echo yes)
WEB := $(if $(wildcard web/package.json),$(if $(NODE_FITS),built,no-node),absent)
NATIVE_SOURCES := $(shell find native \( -name target -o -name examples -o -name fuzz \) -prune -o \( -name '*.rs' -o -name '*.pyi' -o -name '*.toml' -o -name 'Cargo.lock' \) -print 2>/dev/null)
WEB_SOURCES := $(shell find web -maxdepth 1 -type f 2>/dev/null; find web/src web/public -type f 2>/dev/null)

# Arguments for pytest: `make test T="tests/matching -k fok"`.
T ?=
PYTEST := $(BIN)/python -m pytest
# Seconds for each target of `make fuzz`.
FUZZ_SECONDS ?= 60
# Arguments for `make campaign`, `make naive`, `make mutation`, `make bench-peers` and `make soak`.
CAMPAIGN ?=
NAIVE ?=
MUTATION ?=
PEERS ?=
SOAK ?=
# Without LOCK_ARGS a version already locked stays; `make lock LOCK_ARGS=--upgrade` takes the newest.
LOCK_ARGS ?=
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links $(LOCK_ARGS)

# The programs of NSQ that the tests run; deploy/nsq/go.mod says which version. Without go those tests are skipped.
NSQ := $(if $(shell command -v go 2>/dev/null),$(VENV)/nsq/.built,$(VENV)/nsq/.no-go)
NSQ_PROGRAMS := nsqd nsqlookupd nsqadmin

.PHONY: help setup run test native-test web-test docs integration compose-test nsq nsq-faults faults lint format types contracts bench bench-peers \
	campaign naive mutation coverage fuzz soak lock clean ci

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready $(VENV)/.native-$(NATIVE) $(VENV)/.web-$(WEB) ## Make .venv with the locked dependencies and the project

run: setup ## Start the exchange with house traders and open the market
	@$(BIN)/exchange demo

test: setup ## Run the fast tests
	@$(PYTEST) -m "not integration and not slow and not compose" --ignore=tests/docs $(T)

native-test: setup ## Check the Rust crates: tests, lints, formatting, and the stub against the binary
ifeq ($(NATIVE),built)
	@cd native && cargo fmt --check
	@cd native && cargo clippy --quiet --locked --all-targets -- -D warnings
	@cd native && cargo test --quiet --locked --workspace --exclude exchange-native
	@MYPYPATH=native/python $(BIN)/stubtest --ignore-missing-stub --mypy-config-file native/python/stubtest.ini exchange_native
else
	@echo "native-test: skipped, no cargo or no native/"
endif

web-test: setup ## Check the terminal: types, accessibility of its markup, and its unit tests
ifeq ($(WEB),built)
	@cd web && npm run --silent check
	@cd web && NO_COLOR=1 npm test --silent
else
	@echo "web-test: skipped, no npm with Node.js 20.19 or newer, or no web/"
endif

docs: setup ## Run the code blocks of README.md and docs/
	@$(PYTEST) tests/docs $(T)

integration: setup ## Run the tests that start processes, crash them or take minutes
	@$(MAKE) nsq || echo "setup: NSQ could not be built, so the tests that need nsqd are skipped"
	@$(PYTEST) -m "integration or slow" --ignore=tests/docs $(T)

compose-test: setup ## Bring compose.yaml up in real containers, kill each, and take it down (needs root and docker)
	@$(MAKE) nsq || echo "setup: NSQ could not be built, so the look-alike of its image is missing"
	@$(PYTEST) -s -m compose tests/compose $(T)

nsq: $(NSQ) ## Build nsqd, nsqlookupd and nsqadmin into .venv/nsq (needs go)

nsq-faults: setup nsq ## Do to a loaded exchange what NSQ can do, and print the table of docs/reliability.md
	@rm -f $(VENV)/nsq/faults.md
	@NSQ_REPORT=$(VENV)/nsq/faults.md $(PYTEST) tests/integration/test_nsq_faults.py $(T)
	@cat $(VENV)/nsq/faults.md

FAULTS := silent_paths full_disk clock_jumps two_engines
faults: setup nsq ## Do what disks, clocks, networks and copies do, and print the second table of docs/reliability.md
	@rm -f $(VENV)/faults.md
	@FAULTS_REPORT=$(VENV)/faults.md $(PYTEST) $(FAULTS:%=tests/integration/test_%.py) $(T)
	@cat $(VENV)/faults.md

lint: setup ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: setup ## Repair style and formatting where a machine can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## Check types, strictly
	@$(BIN)/mypy

contracts: setup ## Check which package may import which
	@$(BIN)/lint-imports --no-logo

bench: setup ## Run the benchmarks
	@$(BIN)/python -m benchmarks

campaign: setup ## Drive both matchers with 10 million random commands (CAMPAIGN="--commands 200000 --first-seed 7")
	@$(BIN)/python -m tests.integration.campaign $(CAMPAIGN)

naive: setup ## Drive the matcher and the naive model of the rulebook from seeds (NAIVE="--seeds 1000 --first-seed 7")
	@$(BIN)/python -m tests.integration.naive_campaign $(NAIVE)

mutation: $(VENV)/.mutation ## See which small faults in matching/ and risk/ the fast tests notice (MUTATION="--seed 2 --tenths 10")
	@$(BIN)/python -m tests.integration.mutation $(MUTATION)

CORE_TESTS := tests/scenarios tests/risk tests/matching
coverage: $(VENV)/.mutation ## Measure which lines and branches of matching/ and risk/ their tests come through
	@$(BIN)/coverage run --branch --data-file=build/coverage --source=src/exchange/matching,src/exchange/risk \
		--omit=src/exchange/matching/native.py -m pytest \
		--timeout=600 $(CORE_TESTS) -k "not native and not workload and not random_commands" $(T)
	@$(BIN)/coverage report --data-file=build/coverage --skip-covered --show-missing

fuzz: ## Fuzz records, venue and snapshots for a minute each (needs nightly Rust and cargo-fuzz; FUZZ_SECONDS=600)
	@cd native && for target in $$(cargo +nightly fuzz list); do \
		cargo +nightly fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -print_final_stats=1 || exit 1; done

soak: setup ## Watch the native venue's memory for an hour of 50,000 messages per second (SOAK="--seconds 600")
	@$(BIN)/python -m benchmarks.soak $(SOAK)

bench-peers: setup ## Compare with other order books, side by side over the same streams (PEERS="--rounds 5")
	@$(BIN)/python -m benchmarks.peers $(PEERS)

lock: setup ## Resolve the dependencies again into requirements/*.txt
	@$(COMPILE) --output-file requirements/core.txt pyproject.toml
	@$(COMPILE) --extra dev --constraint requirements/core.txt --output-file requirements/dev.txt pyproject.toml
	@$(COMPILE) --extra postgres --extra redis --constraint requirements/dev.txt --output-file requirements/services.txt pyproject.toml
	@$(COMPILE) --group build --constraint requirements/dev.txt --output-file requirements/build.txt
	@$(COMPILE) --group mutation --constraint requirements/dev.txt --output-file requirements/mutation.txt

clean: ## Remove the virtual environment, caches and build products
	@rm -rf $(VENV) build dist web/node_modules src/exchange/reporter/static .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

ci: ## Run every check, as continuous integration does
	@.ci/run

# --- what setup is made of ------------------------------------------------------------------------

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then echo "setup: needs Python 3.11 or newer, found $$(python3 --version 2>&1 || true); install one or run: make setup PYTHON=/path/to/python"; exit 1; fi
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then echo "setup: needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version 2>&1)"; exit 1; fi
	@echo "setup: making $(VENV) with $$($(PYTHON) --version) and $(if $(UV),uv,pip)"
ifneq ($(UV),)
	@$(UV) venv --quiet --allow-existing --python "$$(command -v $(PYTHON))" $(VENV)
else
	@$(PYTHON) -m venv $(VENV) || { echo "setup: no venv module; on Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
endif

$(VENV)/.ready: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "setup: installing the locked dependencies"
ifneq ($(UV),)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@touch $@

$(VENV)/.mutation: requirements/mutation.txt $(VENV)/.ready
	@echo "setup: installing mutmut and coverage"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/mutation.txt
	@mkdir -p build
	@touch $@

$(VENV)/.native-absent $(VENV)/.web-absent: | $(VENV)/.ready
	@touch $@

$(VENV)/.native-no-cargo: | $(VENV)/.ready
	@echo "setup: no cargo, so the matcher runs in Python (install Rust and run make setup again for the native one)"
	@touch $@

$(VENV)/.native-built: $(NATIVE_SOURCES) | $(VENV)/.ready
	@echo "setup: building the native core"
	@if $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --reinstall ./native/python; then touch $@; \
	elif [ -n "$${CI:-}" ]; then exit 1; \
	else echo "setup: the native core was not built (see above), so the matcher runs in Python"; fi

$(VENV)/.web-no-node: | $(VENV)/.ready
	@echo "setup: no npm with Node.js 20.19 or newer, so the reporter serves its plain page (install it and run make setup again for the terminal)"
	@touch $@

$(VENV)/.web-built: $(WEB_SOURCES) | $(VENV)/.ready
	@echo "setup: building the trading terminal"
	@if cd web && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build; then touch ../$@; \
	elif [ -n "$${CI:-}" ]; then exit 1; \
	else echo "setup: the terminal was not built (see above), so the reporter serves its plain page"; fi

$(VENV)/nsq/.built: deploy/nsq/go.mod deploy/nsq/go.sum deploy/nsq/tools.go
	@mkdir -p $(@D)
	@echo "setup: building $(NSQ_PROGRAMS) into $(@D)"
	@cd deploy/nsq && for program in $(NSQ_PROGRAMS); do \
		CGO_ENABLED=0 go build -trimpath -o $(abspath $(@D))/$$program github.com/nsqio/nsq/apps/$$program || exit 1; done
	@touch $@

$(VENV)/nsq/.no-go:
	@echo "setup: no go, so the tests that need nsqd are skipped (install Go 1.24 or newer and run make nsq)"
