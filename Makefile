# hazardlens: `make run` starts a server with a trained model, `make test` proves that everything works.
# Needs Python 3.11 or later, make and pip; everything else goes into .venv and var/.

PYTHON ?= python3
PORT   ?= 8000

BIN     := .venv/bin
MODEL   := var/models/default
RUNTIME := .venv/installed-training
DEV     := .venv/installed-dev
ROOMS   := hazardlens serving training models notebooks tests

# What is installed is compiled at its first import, and kept: without, each server and each test would compile it anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help run test check format clean
.DELETE_ON_ERROR:

help:  ## show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 16

run: $(MODEL)/manifest.json  ## start the server with the default model and example listings; PORT=8000
	@$(BIN)/hazardlens serve --model $(MODEL) --port $(PORT) --demo

test: $(DEV)  ## run the tests, some files at once
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: $(DEV)  ## lint, types, import rules
	$(BIN)/ruff check $(ROOMS)
	$(BIN)/ruff format --check --quiet $(ROOMS)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)  ## format, and mend what the linter can mend
	$(BIN)/ruff check --fix $(ROOMS)
	$(BIN)/ruff format $(ROOMS)

clean:  ## remove the environment, models, databases and caches
	rm -rf .venv var build dist .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A model is trained once: the environment is there for it, but a newer environment asks for no new model.
$(MODEL)/manifest.json: | $(RUNTIME)
	@echo "Training the default model; this happens once."
	$(BIN)/hazardlens train --out $(MODEL) --progress

$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[training,pictures]'
	@touch $@

$(DEV): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable '.[training,pictures,dev]'
	@touch $@ $(RUNTIME)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "hazardlens needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
