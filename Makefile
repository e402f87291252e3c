# The commands of people are the commands of CI. Everything happens in .venv; delete it to start afresh.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
BUILT_FROM := pyproject.toml setup.py constraints.txt $(wildcard src/allmende/extract/*.pyx src/allmende/extract/*.pxi src/allmende/extract/*.h)

.PHONY: demo test check format docs bench clean

demo: .venv/run  ## a dataset from a crawl that ships with the project, offline
	$(BIN)/allmende demo

test: .venv/test  ## all tests
	$(BIN)/python -m pytest -q

check: .venv/test  ## lint, format, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/test  ## writes docs/reference anew from the code
	$(BIN)/python tools/make_reference.py

bench: .venv/test  ## side by side with the peers; minutes, and installs them in environments of their own
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf .venv .cache build demo dist src/allmende.egg-info src/allmende/extract/*.c src/allmende/extract/*.so

.venv/made:
	$(PYTHON) -c 'import sys; sys.exit("Allmende needs Python 3.11 or newer: make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	touch $@

.venv/run: .venv/made $(BUILT_FROM)
	$(PIP) --editable .
	touch $@

.venv/test: .venv/made $(BUILT_FROM)
	$(PIP) --editable '.[all,test,check]'
	touch $@ .venv/run
