# `make demo` and `make test` need only Python 3.11 to 3.13, make and a package index: they set up .venv by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   := build/demo

.PHONY: help setup demo test test-slow check bench clean
.DEFAULT_GOAL := help

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## create .venv with both packages (editable) and the tools for tests

$(READY): packages/degrade/pyproject.toml packages/srzoo/pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "make: $(PYTHON) is not Python 3.11, 3.12 or 3.13 - name one: make PYTHON=python3.12 ..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
	    --editable 'packages/degrade[samples]' --editable packages/srzoo --requirement requirements-dev.txt
	@touch $(READY)

demo: $(READY) ## photographs to pairs to a network to an enlarged photograph, in build/demo (minutes)
	$(BIN)/python datasets/prepare.py samples $(DEMO)/photos
	$(BIN)/degrade synth $(DEMO)/photos/train dead-leaves:24 --recipe generic --pairs 4000 --out $(DEMO)/shards
	$(BIN)/srzoo train demo --shards $(DEMO)/shards --out $(DEMO)/run
	$(BIN)/degrade apply $(DEMO)/photos/test --recipe generic --out $(DEMO)/lr --hr $(DEMO)/hr --force
	$(BIN)/srzoo upscale $(DEMO)/lr/astronaut.png $(DEMO)/lr/chelsea.png --model $(DEMO)/run -o $(DEMO)/sr --force
	$(BIN)/degrade preview $(DEMO)/photos/test/astronaut.png --recipe generic --out $(DEMO)/sheet.png --force

check: $(READY) ## lint, format, types, and the floors of the house
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/python -m pytest --quiet tests/architecture

test: $(READY) ## the fast tests (SR_DATA=DIR adds those on real photographs)
	$(BIN)/python -m pytest --quiet --numprocesses auto --dist worksteal

test-slow: $(READY) ## the slow ones: recovery from kills, statistics of many pairs, training
	$(BIN)/python -m pytest --quiet -m slow

bench: $(READY) ## compare with others (PEERS=DIR adds checkouts of those that are no packages)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement benchmarks/requirements.txt
	$(if $(PEERS),PEERS='$(PEERS)') $(BIN)/python benchmarks/synth_throughput.py
	$(BIN)/python benchmarks/shard_reads.py

clean: ## remove what was built; .venv stays
	rm -rf build .pytest_cache .ruff_cache .hypothesis
