# Run `make` for a list of what can be made.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup azurite demo test lint types layers check bench demo-model clean

help: ## Show this list
	@echo "make TARGET [PYTHON=python3.12]"
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile \
		| while IFS='|' read -r target text; do printf '  %-11s %s\n' "$$target" "$$text"; done

setup: $(INSTALLED) ## Install aslbatch and its tools into .venv, from the pinned constraints

azurite: ## Install Azurite, the server that tests of Azure storage need; wants npm
	npm install --no-audit --no-fund --silent --prefix $(VENV)/azurite azurite@3.37.0

demo: setup ## Gloss the sample corpus with the demo model; needs no network once set up
	$(BIN)/aslbatch translate configs/quickstart.yaml

test: setup ## Run all tests, or those of TESTS=tests/unit
	$(BIN)/python -m pytest -n 2 --dist worksteal $(TESTS)

lint: setup ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## Check types, strictly
	$(BIN)/mypy

layers: setup ## Check that imports point down only and that dependencies are declared and used
	$(BIN)/lint-imports
	$(BIN)/deptry .

check: lint types layers ## Check everything that is not a test

bench: setup ## List the benchmarks
	@grep -l __main__ bench/*.py | sed 's|^|$(BIN)/python |'

demo-model: setup ## Train the demo model and write the sample corpus again, from their seed
	$(BIN)/python -m aslbatch.pipelines.demo_model --data out/demo-model
	$(BIN)/aslbatch train configs/train.demo.yaml
	$(BIN)/python -m aslbatch.pipelines.demo_model --take out/demo-model/trained
	$(BIN)/python -m aslbatch.pipelines.demo_model --corpus configs/sample

clean: ## Remove caches, build folders and the demo's output; keep .venv
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf build dist *.egg-info out/quickstart
	find aslbatch jobs tests bench -type d -name __pycache__ -exec rm -rf {} +

$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(BIN)/pip \
		|| $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
		|| { echo "aslbatch needs Python 3.11 or 3.12, but $(PYTHON) is" \
			"$$($(PYTHON) --version 2>&1). Name another: make setup PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@
