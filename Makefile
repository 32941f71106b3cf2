# `make` alone lists the targets. Everything a target needs is set up by it; python3 and make suffice.

PYTHON ?= python3
VENV := .venv
FUZZ := .venv-fuzz
DEV := .venv-dev
COLLECTED ?= ../shared/bounces/dev.tsv
FUZZ_SECONDS ?= 60
PIP_QUIET := --quiet --disable-pip-version-check
SOURCES := $(shell find src -type f -not -name '*.pyc') pyproject.toml README.md LICENSE

.DEFAULT_GOAL := help
.PHONY: help install demo test check format golden bench bounces soak spam-runs fuzz docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## build .venv with the exporter and the simulator
	@echo "ready: $(VENV)/bin/cpanel-mail-exporter --help"

demo: $(VENV)/.installed ## three simulated servers, the exporter, and Prometheus if it is found
	@exec $(VENV)/bin/cpanel-mail-exporter demo $(DEMO_FLAGS)

test: $(DEV)/.installed ## all tests, against the built wheel
	$(DEV)/bin/python -m pytest $(TESTS)

check: $(DEV)/.installed ## format, lint, types, structure, dependencies, docs: what CI runs before the tests
	$(DEV)/bin/ruff format --check src tests benchmarks docs
	$(DEV)/bin/ruff check src tests benchmarks docs
	$(DEV)/bin/mypy
	$(DEV)/bin/lint-imports
	$(DEV)/bin/deptry .
	$(DEV)/bin/python docs/check.py

format: $(DEV)/.installed ## put the code into its form
	$(DEV)/bin/ruff check --fix-only --quiet src tests benchmarks docs
	$(DEV)/bin/ruff format src tests benchmarks docs

golden: $(DEV)/.installed ## write the golden files anew; read the difference before committing
	$(DEV)/bin/python -m pytest tests/golden --renew-golden

bench: $(DEV)/.installed ## measure exporter and simulator; results in benchmarks/results
	$(DEV)/bin/python -m benchmarks.run $(BENCH_FLAGS)
	$(DEV)/bin/python -m benchmarks.reading_parts
	$(DEV)/bin/python -m benchmarks.simulator_load
	$(DEV)/bin/python -m benchmarks.ledger_cost
	$(DEV)/bin/python -m benchmarks.bounces
	$(DEV)/bin/python -m benchmarks.queue_cost

bounces: $(DEV)/.installed ## how well replies are classified; results in tests/bounces/results
	$(DEV)/bin/python -m tests.bounces.report --collected $(COLLECTED)

soak: $(DEV)/.installed ## kill the exporter 1,000 times (half an hour) and compare; results in tests/soak/results
	$(DEV)/bin/python -m tests.soak $(SOAK_FLAGS)

spam-runs: $(DEV)/.installed ## 30 days and dozens of spam runs on simulated servers; results in tests/spam_runs/results
	$(DEV)/bin/python -m tests.spam_runs $(SPAM_RUNS_FLAGS)

fuzz: $(FUZZ)/.installed ## feed every reader of foreign bytes for FUZZ_SECONDS (60) each; see tests/fuzz/README.md
	$(FUZZ)/bin/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(FUZZ_TARGETS)

docs: $(DEV)/.installed ## write the generated reference pages anew
	$(DEV)/bin/python docs/generate.py

lock: .venv-lock/bin/uv ## resolve the requirement files anew, with hashes and without addresses
	for set in "run:pyproject.toml --extra simulator" "build:requirements/build.in" \
	    "dev:pyproject.toml --extra simulator requirements/build.in requirements/dev.in" \
	    "fuzz:pyproject.toml requirements/build.in requirements/fuzz.in"; do \
	  .venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --no-emit-index-url --upgrade $${set#*:} \
	    --output-file requirements/$${set%%:*}.txt || exit 1; done

clean: ## remove what was built
	rm -rf $(VENV) $(DEV) $(FUZZ) .venv-lock build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.requirements: requirements/run.txt requirements/build.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install $(PIP_QUIET) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.requirements $(SOURCES)
	$(VENV)/bin/python -m pip install $(PIP_QUIET) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(FUZZ)/.requirements: requirements/fuzz.txt
	$(PYTHON) -m venv --clear $(FUZZ)
	$(FUZZ)/bin/python -m pip install $(PIP_QUIET) --require-hashes -r requirements/fuzz.txt
	@touch $@

$(FUZZ)/.installed: $(FUZZ)/.requirements $(SOURCES)
	$(FUZZ)/bin/python -m pip install $(PIP_QUIET) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(DEV)/.requirements: requirements/dev.txt
	$(PYTHON) -m venv --clear $(DEV)
	$(DEV)/bin/python -m pip install $(PIP_QUIET) --require-hashes -r requirements/dev.txt
	@touch $@

$(DEV)/.installed: $(DEV)/.requirements $(SOURCES)
	$(DEV)/bin/python -m pip install $(PIP_QUIET) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

.venv-lock/bin/uv:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install $(PIP_QUIET) uv
