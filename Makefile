# Each target installs what it needs, into this folder: .venv (run, test, check), .venv-sam (build, deploy), .venv-bench,
# .venv-lock (lock, catalog).
# Needs: make, Python 3.13 or newer, and an index that serves PyPI's packages. `make help` lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check build deploy bench catalog docs lock clean

# The first interpreter that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for python in python3.13 python3.14 python3 python; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null && echo "$$python" && break; done)
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check --require-hashes
ARCHITECTURE ?= arm64

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/  make \1  /p' $(firstword $(MAKEFILE_LIST))

run: .venv/.run  ## the gateway on http://127.0.0.1:8080 (ORRERY_PORT moves it)
	@.venv/bin/python -m orrery.edge.local

# Three workers on two cores: many tests wait for processes of their own.
test: .venv/.dev  ## every test (ARGS="-k name" for some)
	.venv/bin/python -m pytest -n 3 --dist worksteal $(ARGS)

check: .venv/.dev  ## format, lint, types, import contracts
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

build: .venv-sam/.done  ## what deploys, in .aws-sam (ARCHITECTURE=x86_64 for the other)
	PATH="$(CURDIR)/.venv-sam/bin:$$PATH" .venv-sam/bin/sam build --parameter-overrides Architecture=$(ARCHITECTURE)

deploy: build  ## to your AWS account, asking what it must know
	.venv-sam/bin/sam deploy --guided --parameter-overrides Architecture=$(ARCHITECTURE)

bench: .venv/.dev .venv-bench/.done  ## speed beside a direct call and LiteLLM (docs/bench.md says how to read it)
	.venv/bin/python bench/run.py $(ARGS)

catalog: .venv/.dev .venv-lock/.done  ## the weekly refresh: newest prices locked, models and prices made from them
	PATH="$(CURDIR)/.venv-lock/bin:$$PATH" requirements/lock --upgrade-package genai-prices --upgrade-package litellm
	$(MAKE) .venv/.dev
	.venv/bin/python -m scripts.catalog --refresh

docs: .venv/.dev  ## docs/providers.md and docs/endpoints.md again, from the code
	.venv/bin/python -m scripts.matrix
	.venv/bin/python -m scripts.endpoints

lock: .venv-lock/.done  ## requirements again, from pyproject.toml
	PATH="$(CURDIR)/.venv-lock/bin:$$PATH" requirements/lock

clean:  ## everything that a target made, but not .orrery (your local keys and credit)
	rm -rf .venv .venv-sam .venv-bench .venv-lock .aws-sam .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	.venv/bin/python $(PIP_INSTALL) -r requirements/run.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	.venv/bin/python $(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

.venv-lock/.done: requirements/uv.txt | .venv-lock/bin/python
	.venv-lock/bin/python $(PIP_INSTALL) -r requirements/uv.txt
	@touch $@

.venv-sam/.done: requirements/sam.txt | .venv-sam/bin/python
	.venv-sam/bin/python $(PIP_INSTALL) -r requirements/sam.txt
	@touch $@

.venv-bench/.done: requirements/bench.txt | .venv-bench/bin/python
	.venv-bench/bin/python $(PIP_INSTALL) -r requirements/bench.txt
	@touch $@

.venv/bin/python .venv-sam/bin/python .venv-bench/bin/python .venv-lock/bin/python:
	@test -n "$(PYTHON)" || { echo "Orrery needs Python 3.13 or newer: install it, or name it with make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; exit 1; }
	@echo "Setting up $(@D:/bin=) (once)"
	@"$(PYTHON)" -m venv $(@D:/bin=)
