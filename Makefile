# Two commands on a machine with python3 and make: `make demo` and `make test`. `make test-deep` runs the long tests,
# `make test-browser` those of the dashboard in a real browser, `make soak` an hour of everything at random (make soak SECONDS=120 SEED=7).
# Each makes the virtual environment if it is missing, and installs what it needs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo
SECONDS ?= 3600
SEED ?=

.PHONY: demo test test-browser test-deep soak bench lint generated clean

demo: $(VENV)/.runtime
	$(BIN)/faceswapd demo $(DEMO)

test: $(VENV)/.test lint
	$(BIN)/python -m compileall -q faceswapd tests  # hundreds of processes are started, which need not do it each
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal
	@echo "The dashboard was not looked at in a browser: make test-browser does that."

test-browser: $(VENV)/.browser
	@tests/browser/get_browser.sh
	$(BIN)/python -m pytest -m browser -rs tests/browser

test-deep: $(VENV)/.deep
	$(BIN)/python -m pytest -m deep --durations=0

soak: $(VENV)/.test
	$(BIN)/python -m tests.soak --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

lint: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

generated: $(VENV)/.test
	$(BIN)/python -m tests.generated  # what is made from the parsers: completions and manual pages

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	  echo "faceswapd needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/.runtime

$(VENV)/.deep: pyproject.toml | $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,deep]'
	@touch $@

$(VENV)/.browser: pyproject.toml | $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,browser]'
	@touch $@

clean:
	rm -rf $(VENV) $(DEMO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
