# `make demo` and `make test` need only Python 3.11 to 3.13, make and a package index: they set up .venv by themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   := build/demo

.PHONY: help setup demo test test-slow check bench model clean
.DEFAULT_GOAL := help

help: ## show what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
	$(BIN)/degrade synth $(DEMO)/photos/test --recipe generic --pairs 120 --out $(DEMO)/kept-out
	$(BIN)/degrade apply $(DEMO)/photos/test --recipe generic --out $(DEMO)/lr --hr $(DEMO)/hr --force
	$(BIN)/srzoo upscale $(DEMO)/lr/astronaut.png $(DEMO)/lr/chelsea.png --model $(DEMO)/run -o $(DEMO)/sr --force
	$(BIN)/degrade preview $(DEMO)/photos/test/astronaut.png --recipe generic --out $(DEMO)/sheet.png --force
	$(BIN)/srzoo report $(DEMO)/run --shards $(DEMO)/kept-out --sheet $(DEMO)/sheet.png --title 'make demo' \
	    --lr $(DEMO)/lr/astronaut.png --hr $(DEMO)/hr/astronaut.png \
	    --lr $(DEMO)/lr/chelsea.png --hr $(DEMO)/hr/chelsea.png -o $(DEMO)/report.html

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
	$(if $(PEERS),PEERS='$(PEERS)') $(BIN)/python benchmarks/recipes.py
	$(if $(PEERS),PEERS='$(PEERS)' $(BIN)/python benchmarks/parity.py)
	$(BIN)/python benchmarks/burst.py

# The photographs of SR_DATA/hr_train whose licence lets a model of them be given away.
MODEL_PHOTOS := elementary immich lepton mde nextcloud oceanic popos solus ubuntumate unsplash_deepin worksuite

model: $(READY) ## train the model that ships again (SR_DATA=DIR; hours; the same command goes on)
	@test -d "$(SR_DATA)/hr_train" || { echo "make: model: set SR_DATA to the folder that holds hr_train" >&2; exit 1; }
	$(BIN)/degrade synth $(foreach name,$(MODEL_PHOTOS),"$(SR_DATA)"/hr_train/$(name)_*) dead-leaves:40 \
	    --recipe generic --variants 4 --pairs 20352 --out build/shipped/shards
	$(BIN)/srzoo train 4x-compact --shards build/shipped/shards --out build/shipped/run

include chains/data.mk chains/ren2020-small.mk chains/srdgan-small.mk chains/dml-small.mk chains/csrgan-small.mk \
    chains/ddnsr-small.mk chains/systems-small.mk

clean: ## remove what was built; .venv stays
	rm -rf build .pytest_cache .ruff_cache .hypothesis
