# Voltstream. One verb each; every verb first makes sure of .venv (needs python3 and make only).
#   make demo     the main job: real charging sessions through live SQL views (ARGS="--seconds 20")
#   make test     all tests                 (ARGS="-k window")
#   make test-cluster  on a real Flink cluster and Kafka, fetched once (Java, Maven; 600 MB)
#   make check    format, lint, strict types, tests: what .ci/run calls
#   make bench    throughput and freshness  (ARGS="ocpp --rows 1000000 --rounds 1"; ARGS=--help)
#   make fmt      rewrite sources in the house format
#   make serve    a server on the default ports (ARGS="--data volt-data")
#   make setup    .venv with the locked dependencies and .venv/bin/voltstream
#   make page     build the live page anew (needs Node; the build is kept in the repository)
#   make docs     the pages of docs/ as a site in build/docs
#   make lock     pin dependencies anew from pyproject.toml

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Tests start hundreds of processes: sources are compiled once, whatever the caller's shell says.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-cluster check bench fmt serve page docs lock clean

help:
	@sed -n 's/^#   //p' Makefile

# The stamp is newer than the locks, or the environment is laid anew.
$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "voltstream needs Python 3.11 or newer (set PYTHON=...)" >&2; exit 1; }
	@echo "Putting what is needed into $(VENV): once, some minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP)

demo: $(STAMP)
	@$(BIN)/voltstream demo $(ARGS)

serve: $(STAMP)
	@$(BIN)/voltstream serve $(ARGS)

# Two at a time, a file in one piece: much of a test's time is waiting for servers and disks.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile

test: $(STAMP)
	$(PYTEST) $(ARGS)

# One at a time: a cluster of five processes has the machine to itself.
test-cluster: $(STAMP)
	VOLTSTREAM_TEST_CLUSTER=1 $(BIN)/python -m pytest --timeout 900 tests/cluster $(ARGS)

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) $(ARGS)

bench: $(STAMP)
	@$(BIN)/python -m bench $(ARGS)

fmt: $(STAMP)
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

page:
	cd page && npm ci --no-fund --no-audit && npx tsc --noEmit && node build.mjs

# In an environment of its own: nothing that is run or tested needs it.
docs:
	@test -x $(VENV)/docs/bin/python || $(PYTHON) -m venv $(VENV)/docs
	@$(VENV)/docs/bin/python -m pip install --quiet --require-hashes -r requirements/docs.txt
	@$(VENV)/docs/bin/mkdocs build --quiet && echo "build/docs/index.html"

# Universal locks: one file for every platform, hashed, without any registry's name.
LOCK = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate
lock: $(STAMP)
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet uv
	$(LOCK) pyproject.toml --output-file requirements/runtime.txt
	$(LOCK) pyproject.toml --extra dev --output-file requirements/dev.txt
	$(LOCK) requirements/docs.in --output-file requirements/docs.txt

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
