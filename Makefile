# Two commands do everything on a machine that has Python and make:
#   make quickstart   sets up, trains a small TRM and shows its exact accuracy on unseen puzzles
#   make test         sets up, and passes lint, types, import contracts and tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OLDEST := .venv-oldest
# Tests of what depends on the version of torch and NumPy.
COMPUTES := $(addprefix tests/trm_engine/,models compute learning inference training interop)
# Tests side by side on the cores; on no more than four, for their memory.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: help quickstart test test-oldest check lint types imports format wheel screens page-screens bench-ui bench-sessions bench-streaming bench-recursion bench-step bench-cores bench-gpu walk torture clean bench-server

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

define NEED_PYTHON
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	echo "trm-tui needs Python 3.10 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	echo "Install one, then name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
endef

$(BIN)/python:
	$(NEED_PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.run

quickstart: $(VENV)/.run ## train sudoku-4x4 and measure it on unseen puzzles
	$(BIN)/trm-tui --no-ui run sudoku-4x4

test: check ## lint, types, import contracts, tests with coverage
	$(BIN)/python -m pytest --cov $(SIDE_BY_SIDE)

$(OLDEST)/.dev: pyproject.toml
	$(NEED_PYTHON)
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --upgrade pip
	$(OLDEST)/bin/python -m pip install --quiet 'torch==2.2.2' 'numpy<2' --editable '.[dev]'
	@touch $@

test-oldest: $(OLDEST)/.dev ## what computes, every task, parity and a short run on the oldest torch (Python 3.12 at most)
	$(OLDEST)/bin/python -m pytest $(SIDE_BY_SIDE) $(COMPUTES) tests/trm_engine/tasks/test_task_contract.py tests/parity
	$(OLDEST)/bin/trm-tui --no-ui --sessions-dir $(OLDEST)/sessions run sudoku-4x4 --steps 150

check: lint types imports ## what to run before every commit, beside the tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

format: $(VENV)/.dev ## rewrite the code as ruff likes it
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/.dev ## build the wheel, install it elsewhere, and train with it
	$(BIN)/python tests/e2e/wheel.py

screens: $(VENV)/.dev ## draw every screen of the app from real runs into docs/screens (or as ARGS="--into …" says)
	$(BIN)/python -m tests.e2e.screens $(ARGS)

page-screens: $(VENV)/.dev ## draw the server's page into docs/screens, in a real browser (ARGS="FOLDER OF SESSIONS")
	$(BIN)/python -m tests.e2e.page_screens $(ARGS)

bench-ui: $(VENV)/.dev ## measure what the app costs while a run trains
	$(BIN)/python -m tests.e2e.bench_ui

bench-sessions: $(VENV)/.dev ## measure the session browser with 10 000 sessions
	$(BIN)/python -m tests.e2e.bench_sessions

bench-streaming: $(VENV)/.dev ## measure training on data ten times larger than its memory
	$(BIN)/python -m tests.e2e.bench_streaming

bench-recursion: $(VENV)/.dev ## measure what recursion 1, 2 and 3 is worth on text (ARGS="--data FILE --seconds 300")
	$(BIN)/python -m tests.e2e.bench_recursion $(ARGS)

bench-step: $(VENV)/.dev ## compare the training step with that of another commit (ARGS="--against COMMIT", or off)
	$(BIN)/python -m tests.e2e.bench_step $(ARGS)

bench-cores: $(VENV)/.dev ## measure samples a second on 1, 2, 4, … cores, by threads and by ranks (ARGS="--seconds 8")
	$(BIN)/python -m tests.e2e.bench_cores $(ARGS)

bench-server: $(VENV)/.dev ## measure the puzzle server: ready, paint, latency, load, memory, a run beside (ARGS="--json FILE")
	$(BIN)/python -m tests.e2e.bench_server $(ARGS)

bench-gpu: $(VENV)/.dev ## measure training on a GPU against the published step: needs one, and 8 minutes (ARGS="--parts speed")
	$(BIN)/python -m tests.e2e.bench_gpu $(ARGS)

walk: $(VENV)/.dev ## run and resume every preset a little, and compare with what check predicts (ARGS="--data FILE")
	$(BIN)/python -m tests.e2e.preset_walk $(ARGS)

torture: $(VENV)/.dev ## the long form of the promises: many kills, flips and mutations
	$(BIN)/python -m pytest -m torture --torture

clean: ## remove what was built, and the environment
	rm -rf $(VENV) $(OLDEST) build dist .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
